"""From words to classes: commands, `unknown` and `silence`."""

import hashlib
import logging
from collections.abc import Iterable, Sequence

from textapps.core.errors import DataError, unknown
from textapps.datasets.clips.config import SILENCE, UNKNOWN, ClipsConfig
from textapps.datasets.clips.recording import Recording
from textapps.datasets.splits import encoded
from textapps.datasets.texts.examples import sorted_labels

LOGGER = logging.getLogger("textapps")


def class_names(name: str, words: Iterable[str], config: ClipsConfig, *, noise: bool) -> list[str]:
    """The classes in the order of scores: commands, then `unknown`, then `silence`.

    Args:
        name: the name of the source, for messages.
        words: the words of its training clips.
        noise: whether there is background noise, from which silence can be cut.

    Raises:
        DataError: a command has no clips, or there are fewer than two classes.
    """
    said = set(words)
    spoken = said - {UNKNOWN, SILENCE}
    names = list(config.commands or sorted_labels(spoken))
    for command in names:
        if command not in spoken:
            raise DataError(f"{name}: {unknown('command', command, sorted(spoken))}")
    if config.unknown and (spoken - set(names) or UNKNOWN in said):
        names.append(UNKNOWN)
    elif config.unknown and config.commands:
        LOGGER.warning("%s: no word besides the commands, so no class '%s'", name, UNKNOWN)
    if config.silence and (noise or SILENCE in said):
        names.append(SILENCE)
    elif config.silence:
        LOGGER.warning(
            "%s: no folder _background_noise_ to cut silence from, so no class '%s'", name, SILENCE
        )
    if len(names) < 2:
        found = f"only one class, '{names[0]}'" if names else "no clips"
        raise DataError(f"{name}: {found}; at least two classes are needed")
    return names


def class_of(word: str, names: Sequence[str], config: ClipsConfig) -> str | None:
    """The class of a word; None if its clips are left out.

    >>> names = ("yes", "no", "unknown")
    >>> [class_of(word, names, ClipsConfig()) for word in ("no", "bird", "silence")]
    ['no', 'unknown', None]
    """
    if word in names:
        return word
    return UNKNOWN if UNKNOWN in names and word != SILENCE else None


def shares(commands: int, names: Sequence[str], config: ClipsConfig) -> tuple[int, int]:
    """The number of clips of `unknown` and of `silence`, given that of all commands.

    >>> shares(80, ("yes", "no", "unknown", "silence"), ClipsConfig(unknown=0.1, silence=0.1))
    (10, 10)
    """
    wanted = [
        share if name in names else 0.0
        for name, share in ((UNKNOWN, config.unknown), (SILENCE, config.silence))
    ]
    every = commands / (1 - sum(wanted))
    unknowns, silences = (max(1, round(share * every)) if share else 0 for share in wanted)
    return unknowns, silences


def quotas(counts: Sequence[int], total: int) -> list[int]:
    """How many to take of each kind, as evenly as possible, for `total` or all there are.

    >>> quotas([1, 9, 4], 9), quotas([1, 2], 5)
    ([1, 4, 4], [1, 2])
    """
    taken = [0] * len(counts)
    left = min(total, sum(counts))
    # Start with the smallest: the others share what it lacks.
    order = sorted(range(len(counts)), key=lambda number: counts[number])
    for done, number in enumerate(order):
        taken[number] = min(counts[number], -(-left // (len(counts) - done)))
        left -= taken[number]
    return taken


def shuffled(recordings: Iterable[Recording]) -> list[Recording]:
    """In an order that depends only on their keys."""
    return sorted(recordings, key=lambda one: hashlib.sha1(encoded(one.key)).digest())
