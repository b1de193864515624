"""The answers that `textapps translate predict` prints."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from textapps.tasks.rows import Asked, Row, chunks, fields_of
from textapps.tasks.translate.predictor import Translator

CHUNK = 256  # sentences that are held in memory at a time


def rows(
    translator: Translator,
    texts: Iterable[Asked],
    options: Mapping[str, Any],
    random_seed: int = 0,
) -> Iterator[Row]:
    """The best answer to each sentence, in order.

    With `n_best` among the options: that many, each on a line with the number of the sentence and
    the score.

    Args:
        options: those of the [decoding] section, in place of the run's.
        random_seed: of sampled answers; text i takes `random_seed + i`.
    """
    n_best = options.get("n_best")
    for chunk in chunks(enumerate(texts), CHUNK):
        sentences = [asked.text for _, asked in chunk]
        first, _ = chunk[0]
        answers = translator.n_best(
            sentences, random_seed + first, **{**options, "n_best": n_best or 1}
        )
        for (index, asked), found in zip(chunk, answers, strict=True):
            answer: dict[str, Any] = found[0]._asdict()
            if not n_best:
                yield Row(fields_of(index, asked, answer), found[0].translation)
                continue
            answer["translations"] = [each.translation for each in found]
            answer["scores"] = [each.score for each in found]
            lines = (f"{index + 1}\t{each.score:.4f}\t{each.translation}" for each in found)
            yield Row(fields_of(index, asked, answer), "\n".join(lines))
