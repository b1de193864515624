"""Writes the bundled sentence pairs: English, and Tolvi, a language made up for it.

Run as `python data/generate_pairs.py`; the same on every machine, as in `generate.py`.

Tolvi in short, with "The old fox did not find two lamps in the garden yesterday."

    Mesk  ruvan    hemma    du   limek     orban       su  ma   terarat.
    past  fox-the  old-one  two  lamp-acc  garden-the  in  not  find-past-one-not

The verb stands last and the time first; adjectives and places follow their noun. Nouns take
endings for number, "the" or "my", and the object, with a or e after the last vowel of the stem.
Adjectives agree with their noun and verbs with their subject, in number and in whether it lives.
A noun stays singular behind a number. I, we and they are said by the verb alone. A reason comes
before what it explains, and idioms are others than in English.
"""

import gzip
from typing import NamedTuple

from generate import FOLDER, Drawn, article, capital

PAIRS = 4000
SEED = 22


class Noun(NamedTuple):
    """fox, foxes, ruv."""

    one: str
    many: str
    stem: str
    lives: bool


class Verb(NamedTuple):
    """find, finds, found, ter; `tail` and `words` are the rest of an idiom in either language."""

    base: str
    third: str
    past: str
    stem: str
    tail: str = ""
    words: str = ""


class Subject(NamedTuple):
    """Who does it, in both languages; `form` is what the verb agrees with."""

    english: str
    tolvi: str
    form: str


NOUNS = (
    Noun("fox", "foxes", "ruv", True),
    Noun("owl", "owls", "hesh", True),
    Noun("cat", "cats", "mirl", True),
    Noun("child", "children", "tabin", True),
    Noun("goose", "geese", "gok", True),
    Noun("king", "kings", "zelt", True),
    Noun("boat", "boats", "narv", False),
    Noun("lamp", "lamps", "lim", False),
    Noun("letter", "letters", "posk", False),
    Noun("apple", "apples", "jeb", False),
    Noun("stone", "stones", "kurm", False),
    Noun("bean", "beans", "fis", False),
)
ADJECTIVES = {
    "old": "hemm",
    "young": "sav",
    "small": "pit",
    "heavy": "gron",
    "red": "rosh",
    "green": "vel",
    "quiet": "mul",
    "lost": "dask",
}
TRANSITIVE = (
    Verb("see", "sees", "saw", "vad"),
    Verb("find", "finds", "found", "ter"),
    Verb("carry", "carries", "carried", "nos"),
    Verb("hide", "hides", "hid", "kel"),
    Verb("draw", "draws", "drew", "brin"),
    Verb("follow", "follows", "followed", "sut"),
)
INTRANSITIVE = (
    Verb("sleep", "sleeps", "slept", "som"),
    Verb("sing", "sings", "sang", "lal"),
    Verb("dance", "dances", "danced", "taz"),
    Verb("wait", "waits", "waited", "ched"),
    Verb("fall", "falls", "fell", "pok"),
    Verb("laugh", "laughs", "laughed", "hih"),
)
# Word by word: shakes the tree, eats the boot, feeds the owl, opens two windows.
IDIOMS = (
    Verb("spill", "spills", "spilled", "mesh", "the beans", "dervenak"),
    Verb("bite", "bites", "bit", "tun", "the bullet", "polanak"),
    Verb("burn", "burns", "burned", "jes", "the midnight oil", "heshenek"),
    Verb("give", "gives", "gave", "ov", "the cat away", "du fenek"),
)
RAIN = (
    Verb("rain", "rains", "rained", "pluv"),
    # The sky loses its soup.
    Verb("rain", "rains", "rained", "gub", "cats and dogs", "nimen sopak"),
)
PLACES = {"garden": "orb", "lake": "mav", "market": "tarn", "forest": "lesk", "tower": "zum"}
PREPOSITIONS = {"in": "su", "behind": "zar", "near": "bli", "under": "dol"}
TIMES = {
    "present": {"every day": "dinidin", "now": "ni", "once in a blue moon": "gok pluval"},
    "past": {"yesterday": "mesk", "last winter": "holm dask", "long ago": "ur"},
    "future": {"tomorrow": "shol", "next winter": "holm shen", "one day": "din"},
}
TENSES = {"present": "", "past": "ar", "future": "il"}
AGREEMENT = {
    "living": "a",
    "thing": "e",
    "living many": "un",
    "thing many": "en",
    "I": "o",
    "we": "omi",
}
NUMBERS = {"two": "du", "three": "tir"}
DETERMINERS = ("the", "the", "a", "my", "the many", "two", "three")


class Pairs(Drawn):
    """Sentences in both languages at once."""

    def noun(self, noun: Noun, ending: str = "") -> Subject:
        """The small foxes, ruviran pittai; `ending` k makes it an object."""
        determiner = self.pick(DETERMINERS)
        adjective = self.pick((*ADJECTIVES, *[""] * len(ADJECTIVES)))
        number = NUMBERS.get(determiner, "")
        many = bool(number) or determiner == "the many"
        named = " ".join(word for word in (adjective, noun.many if many else noun.one) if word)
        vowel = harmony(noun.stem)
        word = noun.stem
        if determiner == "the many":
            word += "ir"
        if determiner.startswith("the"):
            word += f"{vowel}n"
        if determiner == "my":
            word += f"{vowel}m"
        if ending:
            word += f"{vowel}{ending}"
        form = ("living" if noun.lives else "thing") + (" many" if many else "")
        tolvi = [number, word]
        if adjective:
            tolvi.append(ADJECTIVES[adjective] + ("a" if noun.lives else "o") + "i" * many)
        said = article(named) if determiner == "a" else f"{determiner.split()[0]} {named}"
        return Subject(said, " ".join(filter(None, tolvi)), form)

    def subject(self) -> Subject:
        """A noun that lives more often than not, or a person whom only the verb names."""
        if self.random() < 0.3:
            form = self.pick(("I", "we", "living many"))
            return Subject("they" if form == "living many" else form, "", form)
        return self.noun(self.pick(NOUNS[:6] if self.random() < 0.7 else NOUNS))

    def clause(self, kind: str = "statement") -> tuple[str, str]:
        """A clause with neither capital nor full stop; `kind` is statement, denial or question."""
        tense = self.pick(tuple(TENSES))
        drawn = self.random()
        if drawn < 0.08:
            verb, subject = self.pick(RAIN), Subject("it", "", "thing")
        else:
            verbs = TRANSITIVE if drawn < 0.5 else INTRANSITIVE if drawn < 0.8 else IDIOMS
            verb, subject = self.pick(verbs), self.subject()
        seen = self.noun(self.pick(NOUNS), "k") if verb in TRANSITIVE else Subject("", "", "")
        in_english, in_tolvi = self.place() if self.random() < 0.35 else ("", "")
        time = self.pick(tuple(TIMES[tense])) if self.random() < 0.35 else ""
        english = (english_verb(verb, subject, tense, kind), verb.tail, seen.english, in_english)
        form = verb.stem + TENSES[tense] + AGREEMENT[subject.form]
        tolvi = (TIMES[tense].get(time, ""), subject.tolvi, verb.words, seen.tolvi, in_tolvi)
        end = {"statement": form, "denial": f"ma {form}t", "question": f"{form} ka"}[kind]
        return joined(*english, time), joined(*tolvi, end)

    def place(self) -> tuple[str, str]:
        """In the garden, orban su."""
        preposition, place = self.pick(tuple(PREPOSITIONS)), self.pick(tuple(PLACES))
        stem = PLACES[place]
        return f"{preposition} the {place}", f"{stem}{harmony(stem)}n {PREPOSITIONS[preposition]}"

    def pair(self) -> tuple[str, str]:
        """One sentence, English and Tolvi."""
        drawn = self.random()
        if drawn < 0.15:
            english, tolvi = self.clause("question")
            return f"{capital(english)}?", f"{capital(tolvi)}?"
        english, tolvi = self.clause("denial" if drawn < 0.35 else "statement")
        if drawn > 0.85:
            why, reason = self.clause()
            english, tolvi = f"{english} because {why}", f"{reason} ve, {tolvi}"
        return f"{capital(english)}.", f"{capital(tolvi)}."


def english_verb(verb: Verb, subject: Subject, tense: str, kind: str) -> str:
    """Subject and verb: the fox does not find, did the fox find."""
    many = subject.form in ("I", "we") or subject.form.endswith("many")
    helper = {"present": "do" if many else "does", "past": "did", "future": "will"}[tense]
    if kind == "question":
        return f"{helper} {subject.english} {verb.base}"
    if kind == "denial":
        return f"{subject.english} {helper} not {verb.base}"
    forms = {
        "present": verb.base if many else verb.third,
        "past": verb.past,
        "future": f"will {verb.base}",
    }
    return f"{subject.english} {forms[tense]}"


def harmony(stem: str) -> str:
    """The vowel of endings: e where the last vowel of the stem is e or i, else a."""
    return "e" if [letter for letter in stem if letter in "aeiou"][-1] in "ei" else "a"


def joined(*words: str) -> str:
    """With one space between those that are not empty."""
    return " ".join(filter(None, words))


def sentences() -> str:
    """The text of sentences.tsv.gz: `PAIRS` distinct sentences, a tab and the translation."""
    drawn, pairs = Pairs(SEED), dict[str, str]()
    while len(pairs) < PAIRS:
        english, tolvi = drawn.pair()
        pairs.setdefault(english, tolvi)
    return "".join(f"{english}\t{tolvi}\n" for english, tolvi in pairs.items())


if __name__ == "__main__":
    # Without a time stamp; how well it packs differs between versions of zlib.
    packed = gzip.compress(sentences().encode(), mtime=0)
    (FOLDER / "sentences.tsv.gz").write_bytes(packed)
