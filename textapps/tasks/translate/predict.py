"""The answers that `textapps translate predict` prints."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from textapps.tasks.rows import Row, chunks
from textapps.tasks.translate.predictor import Translator

CHUNK = 256  # sentences that are held in memory at a time


def rows(
    translator: Translator, texts: Iterable[str], options: Mapping[str, Any], random_seed: int = 0
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
        sentences = [text for _, text in chunk]
        first, _ = chunk[0]
        answers = translator.n_best(
            sentences, random_seed + first, **{**options, "n_best": n_best or 1}
        )
        for (index, text), found in zip(chunk, answers, strict=True):
            fields: dict[str, Any] = {"index": index, "input": text, **found[0]._asdict()}
            if not n_best:
                yield Row(fields, found[0].translation)
                continue
            fields["translations"] = [answer.translation for answer in found]
            fields["scores"] = [answer.score for answer in found]
            lines = (f"{index + 1}\t{each.score:.4f}\t{each.translation}" for each in found)
            yield Row(fields, "\n".join(lines))
