"""Do numbers and names that training has never seen come through a translation?"""

import random
import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from pydantic import Field

from benchmarks.benchmark import Context, Trained
from benchmarks.results import Figures
from benchmarks.trainings import facts
from textapps.training.run_directory import RunDirectory

NUMBER = re.compile(r"\d+(?:[.,:/]\d+)*")
WORD = re.compile(r"[^\W\d_]+(?:['-][^\W\d_]+)*")
ROUNDS = 30  # sentences of each kind of number
SEED = 11
ANYWHERE = (
    "A man is wearing a shirt with the number {}.",
    "Two women are standing next to a sign that says {}.",
    "A boy with the number {} on his back is running.",
    "People are waiting in front of a bus with the number {}.",
    "A group of people is dancing, and a screen shows {}.",
)
SENTENCES: Mapping[str, tuple[str, ...]] = {
    "years": (
        "The picture of the old street is from {}.",
        "A band is playing songs from {} on a stage.",
        "A crowd celebrates the year {}.",
        *ANYWHERE,
    ),
    "times": (
        "A man is sleeping on a bench at {}.",
        "The clock on the tower shows {}.",
        "Children are playing in the park until {}.",
        *ANYWHERE,
    ),
    "decimals": (
        "A woman runs {} kilometers through the forest.",
        "The fish that the man is holding weighs {} kilograms.",
        "A girl jumps {} meters into the sand.",
        *ANYWHERE,
    ),
    "long": (
        "There are {} people in the stadium.",
        "A sign at the road shows the number {}.",
        "The woman is holding a card with the number {}.",
        *ANYWHERE,
    ),
    "prices": (
        "A man buys an apple for {} dollars.",
        "A woman is selling shirts for ${} at a market.",
        "The sign in the window says {} euros.",
        *ANYWHERE,
    ),
    "two in a sentence": (
        "The players with the numbers {} and {} are fighting for the ball.",
        "From {} to {} people are standing in the line.",
        "A sign shows {} and a clock shows {}.",
    ),
    "one digit": (
        "{} men are playing football on a field.",
        "A group of {} people is sitting at a table.",
        "{} dogs are running through the snow.",
    ),
}
NAMES = (
    *("Kowalczyk", "Fitzgerald", "Nakamura", "Abubakar", "Thorvaldsen", "Xiaoming", "Oyelaran"),
    *("Bhattacharya", "Quetzal", "Zbigniew", "Vukovic", "Papadopoulos", "Timbuktu", "McAllister"),
    *("Wrocław", "Jyväskylä", "O'Brien", "Ndiaye", "Szczecin", "Yamoussoukro"),
)
OF_NAMES = (
    "{} is playing the guitar on a stage.",
    "A man named {} is sleeping on a bench.",
    "Two women are walking through {}.",
)


class Asked(NamedTuple):
    """A sentence, what its translation must contain, and of which kind that is."""

    kind: str
    sentence: str
    wanted: tuple[str, ...]


class Numbers(Trained):
    """One training for each way, and the share of numbers and names that are copied.

    Args:
        shorter: values other than the preset's, by dotted key.
        ways: what is compared: values of the configuration, by dotted key.
    """

    backbone: str = Field("transformer", description="of both")
    shorter: Mapping[str, int]
    ways: Mapping[str, Mapping[str, bool]]

    def measure(self, context: Context) -> Figures:
        found = {}
        for number, (way, changes) in enumerate(self.ways.items()):
            training = self.training(
                context, "translate", self.backbone, {**self.shorter, **changes}
            )
            run, cost = training.finished(context.work / f"numbers-{number}", again=context.again)
            known = facts(run)
            del known["best_validation"]  # of greedy translations
            found[way] = {**known, **cost, **answered(str(run.path))}
        return {**data_of(run), "sentences": len(list(asked())), "ways": found}


def asked() -> Iterator[Asked]:
    """The sentences of every kind, the same at every call."""
    draw = random.Random(SEED)
    for kind, sentences in SENTENCES.items():
        for place in range(ROUNDS):
            sentence = sentences[place % len(sentences)]
            numbers = [_number(kind, draw) for _ in range(sentence.count("{}"))]
            yield Asked(kind, sentence.format(*numbers), tuple(numbers))
    for name in NAMES:
        yield from (Asked("names", each.format(name), (name,)) for each in OF_NAMES)


def _number(kind: str, draw: random.Random) -> str:
    between = draw.randint
    if kind == "years":
        return str(between(1750, 2049))
    if kind == "times":
        return f"{between(0, 23)}:{between(0, 59):02}"
    if kind == "decimals":
        return f"{between(0, 99)}.{between(1, 99)}"
    if kind == "long":
        grouped = f"{between(1, 999)},{between(0, 999):03}"
        return draw.choice((str(between(10**5, 10**9)), grouped, str(between(10**3, 10**4))))
    if kind == "prices":
        return draw.choice((f"{between(1, 99)}.{between(0, 99):02}", str(between(2, 2_000))))
    return str(between(2, 9) if kind == "one digit" else between(2, 99))


def data_of(run: RunDirectory) -> Figures:
    """How many training pairs have a number, and unknown names of the validation split.

    A capitalised word inside a sentence counts as a name; it is unknown if it stands in no training
    sentence.
    """
    from textapps.datasets.config import PairsConfig
    from textapps.datasets.pairs.loader import load_pairs
    from textapps.preprocessing.numbers import PLACEHOLDER, replace_in_pairs

    config = PairsConfig.model_validate(run.config["data"])
    train, validation = load_pairs(config, ("train", "validation"))
    pairs = list(zip(train.sources, train.targets, strict=True))
    sources, _ = replace_in_pairs(train.sources, train.targets)
    known = {word for source in train.sources for word in WORD.findall(source)}
    names = [
        word in WORD.findall(target)
        for source, target in zip(validation.sources, validation.targets, strict=True)
        for word in WORD.findall(source)[1:]
        if word[0].isupper() and word not in known
    ]
    return {
        "training_pairs": len(pairs),
        "with_a_number": sum(bool(NUMBER.search(f"{a} {b}")) for a, b in pairs),
        "with_the_same_numbers": sum(PLACEHOLDER in source for source in sources),
        "unknown_names": {"validation": len(names), "unchanged_in_the_reference": sum(names)},
    }


def answered(run: str) -> Figures:
    """BLEU of the validation split, and `copied`, by the run's own search."""
    import textapps
    from textapps.datasets.pairs.loader import load_pairs
    from textapps.evaluation.metrics.translation import bleu_tokenizer, corpus_bleu

    translator = textapps.load("translate", run=run)
    (pairs,) = load_pairs(translator.config.data, ("validation",))
    answers = [each.translation for each in translator.predict(pairs.sources)]
    bleu = corpus_bleu(answers, pairs.targets, bleu_tokenizer(pairs.targets))
    return {"validation_bleu": round(bleu, 2), "copied": copied(translator)}


def copied(translator: Any) -> Figures:
    """For each kind, how many there are and how many come through."""
    questions = list(asked())
    answers = translator.predict([each.sentence for each in questions])
    kinds = dict.fromkeys((*SENTENCES, "names"), 0)
    right, of = kinds.copy(), kinds.copy()
    for each, answer in zip(questions, answers, strict=True):
        right[each.kind] += hits(each, answer.translation)
        of[each.kind] += len(each.wanted)
    shares = {kind: {"right": right[kind], "of": of[kind]} for kind in kinds}
    numbers = {key: sum(shares[kind][key] for kind in SENTENCES) for key in ("right", "of")}
    return {**shares, "numbers": numbers}


def hits(each: Asked, translation: str) -> int:
    """How many of the wanted numbers, or names, a translation contains.

    >>> hits(Asked("years", "", ("1999", "7")), "1999 und 1999")
    1
    """
    if each.kind == "names":
        return sum(name in translation for name in each.wanted)
    found, count = NUMBER.findall(translation), 0
    for number in each.wanted:
        if number in found:
            found.remove(number)
            count += 1
    return count
