"""The answers that `textapps translate predict` prints."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from textapps.tasks.rows import Asked, Row, consecutive, fields_of, readable
from textapps.tasks.translate.predictor import LONG, Translator

CHUNK = 256  # sentences that are held in memory at a time


def rows(
    translator: Translator,
    texts: Iterable[Asked],
    options: Mapping[str, Any],
    skip_bad: bool = False,
    random_seed: int = 0,
) -> Iterator[Row]:
    """The best answer to each sentence, in order.

    With `n_best` among the options: that many, each on a line with the number of the sentence and
    the score.

    Args:
        options: those of the [decoding] section, in place of the run's.
        skip_bad: as in `readable`.
        random_seed: of sampled answers; text i takes `random_seed + i`.
    """
    n_best = options.get("n_best")
    with translator.long_texts.said(LONG):
        for first, chunk in consecutive(readable(texts, skip_bad=skip_bad), CHUNK):
            sentences = [asked.text for asked in chunk]
            answers = translator.n_best(
                sentences, random_seed + first, **{**options, "n_best": n_best or 1}
            )
            for index, (asked, found) in enumerate(zip(chunk, answers, strict=True), first):
                answer: dict[str, Any] = found[0]._asdict()
                if not n_best:
                    yield Row(fields_of(index, asked, answer), found[0].translation)
                    continue
                answer["translations"] = [each.translation for each in found]
                answer["scores"] = [each.score for each in found]
                lines = (f"{index + 1}\t{each.score:.4f}\t{each.translation}" for each in found)
                yield Row(fields_of(index, asked, answer), "\n".join(lines))
