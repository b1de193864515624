"""The texts that `textapps generate predict` prints."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from textapps.tasks.generate.predictor import TextGenerator
from textapps.tasks.rows import Asked, Row, consecutive, fields_of, readable

CHUNK = 64  # texts that are generated at a time


def rows(
    generator: TextGenerator,
    seeds: Iterable[Asked],
    options: Mapping[str, Any],
    skip_bad: bool = False,
    random_seed: int = 0,
    count: int = 1,
) -> Iterator[Row]:
    """`count` texts for each seed, in order, each with a line before it that numbers it.

    Args:
        options: those of the [decoding] section, in place of the run's.
        skip_bad: as in `readable`.
        random_seed: text i takes `random_seed + i`.
    """
    numbered = (
        (index * count + sample, seed)
        for index, seed in readable(seeds, skip_bad=skip_bad)
        for sample in range(count)
    )
    for first, chunk in consecutive(numbered, CHUNK):
        texts = generator.generate([seed.text for seed in chunk], random_seed + first, **options)
        for number, (seed, text) in enumerate(zip(chunk, texts, strict=True), first):
            index, sample = divmod(number, count)
            answer = {"sample": sample, "random_seed": random_seed + number, "text": text}
            heading = f"--- {index + 1}.{sample + 1}"
            yield Row(fields_of(index, seed, answer), f"{heading}\n{seed.text}{text}")
