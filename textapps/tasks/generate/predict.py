"""The texts that `textapps generate predict` prints."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from textapps.tasks.generate.predictor import TextGenerator
from textapps.tasks.rows import Row, chunks

CHUNK = 64  # texts that are generated at a time


def rows(
    generator: TextGenerator,
    seeds: Iterable[str],
    options: Mapping[str, Any],
    random_seed: int = 0,
    count: int = 1,
) -> Iterator[Row]:
    """`count` texts for each seed, in order, each with a line before it that numbers it.

    Args:
        options: those of the [decoding] section, in place of the run's.
        random_seed: text i takes `random_seed + i`.
    """
    asked: Iterator[dict[str, Any]] = (
        {
            "index": index,
            "input": seed,
            "sample": sample,
            "random_seed": random_seed + index * count + sample,
        }
        for index, seed in enumerate(seeds)
        for sample in range(count)
    )
    for chunk in chunks(asked, CHUNK):
        texts = generator.generate(
            [row["input"] for row in chunk], chunk[0]["random_seed"], **options
        )
        for row, text in zip(chunk, texts, strict=True):
            heading = f"--- {row['index'] + 1}.{row['sample'] + 1}"
            yield Row({**row, "text": text}, f"{heading}\n{row['input']}{text}")
