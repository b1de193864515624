"""The texts that `textapps generate predict` prints."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from textapps.tasks.generate.predictor import TextGenerator
from textapps.tasks.rows import Asked, Row, chunks, fields_of

CHUNK = 64  # texts that are generated at a time


def rows(
    generator: TextGenerator,
    seeds: Iterable[Asked],
    options: Mapping[str, Any],
    random_seed: int = 0,
    count: int = 1,
) -> Iterator[Row]:
    """`count` texts for each seed, in order, each with a line before it that numbers it.

    Args:
        options: those of the [decoding] section, in place of the run's.
        random_seed: text i takes `random_seed + i`.
    """
    numbered = (
        (index, seed, sample) for index, seed in enumerate(seeds) for sample in range(count)
    )
    for chunk in chunks(numbered, CHUNK):
        first, _, sample = chunk[0]
        start = random_seed + first * count + sample
        texts = generator.generate([seed.text for _, seed, _ in chunk], start, **options)
        for place, ((index, seed, sample), text) in enumerate(zip(chunk, texts, strict=True)):
            answer = {"sample": sample, "random_seed": start + place, "text": text}
            heading = f"--- {index + 1}.{sample + 1}"
            yield Row(fields_of(index, seed, answer), f"{heading}\n{seed.text}{text}")
