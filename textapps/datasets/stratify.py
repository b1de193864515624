"""Splits in which every class has an example."""

import logging
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Generic, NamedTuple, TypeVar

from textapps.datasets.source import SPLITS, Defect, Report
from textapps.datasets.splits import carve, distance, home

E = TypeVar("E")
K = TypeVar("K", str, int)


class Moves(NamedTuple, Generic[K]):
    """How to give every split a group of every class.

    to: the new split of each group that moves, by its key
    lacking: the splits that still lack a class, by class; it has too few groups
    """

    to: dict[K, str]
    lacking: dict[str, list[str]]


def moves(
    groups: Mapping[K, Collection[str]],
    missing: Collection[str],
    counted: Mapping[tuple[str, str], int] | None = None,
) -> Moves[K]:
    """The groups that do not go where the rule of `split_of` sends them.

    For each class in turn, and each split that has none of it: of the groups of the class that
    their own split can spare, the one whose hash is nearest to the range of the split moves there.
    A split can spare a group if it has another one of each class in the group. The order of
    `groups` is irrelevant.

    groups: the classes in each group, by its key or by the `hash_of` it
    missing: the splits to make from the training examples
    counted: how many groups have a class and are in a split, of all groups, if `groups` are only
        those with a class that a split has none of; None: of `groups`
    """
    homes = {key: home(key, missing) for key in groups}
    found = ((label, homes[key]) for key, labels in groups.items() for label in labels)
    counts = Counter(found if counted is None else counted)
    keys: dict[str, list[K]] = {}
    for key in sorted(groups):
        for label in groups[key]:
            keys.setdefault(label, []).append(key)
    to: dict[K, str] = {}
    lacking: dict[str, list[str]] = {}
    for label in sorted(keys):
        for split in splits_made(missing):
            if counts[label, split]:
                continue
            spare = [
                key
                for key in keys[label]
                if all(counts[one, homes[key]] > 1 for one in groups[key])
            ]
            if not spare:
                lacking.setdefault(label, []).append(split)
                continue
            nearest = min(spare, key=lambda key: distance(key, split))
            for one in groups[nearest]:
                counts[one, homes[nearest]] -= 1
                counts[one, split] += 1
            homes[nearest] = to[nearest] = split
    return Moves(to, lacking)


def carve_classes(
    examples: Sequence[E],
    missing: Collection[str],
    key: Callable[[E], str],
    label: Callable[[E], str | None],
    *,
    name: str,
    report: Report | None,
) -> dict[str, list[E]]:
    """As `carve`, but every split has a group of every class, as `moves` says.

    label: the class of an example; None if it has none
    name: of the source, in messages
    report: is told of classes with too few rows, and a warning says which rows have moved; None:
        neither, because the data have been loaded before
    """
    groups: dict[str, set[str]] = {}
    rows: Counter[str] = Counter()
    for example in examples:
        if (own := label(example)) is not None:
            groups.setdefault(key(example), set()).add(own)
            rows[own] += 1
    found = moves(groups, missing)
    if report is not None:
        moved = (
            (own, found.to[key(one)])
            for one in (examples if found.to else ())
            if (own := label(one)) is not None and key(one) in found.to
        )
        tell(name, found.lacking, rows, Counter(moved), missing, report)
    return carve(examples, missing, key, found.to)


def tell(
    name: str,
    lacking: Collection[str],
    rows: Mapping[str, int],
    moved: Mapping[tuple[str, str], int],
    missing: Collection[str],
    report: Report,
) -> None:
    """Reports classes with too few rows, and warns of rows that have moved.

    lacking: the classes with too few
    rows: how many each class has
    moved: how many of a class have moved to a split
    """
    if len(rows) < 2:
        return
    splits = ", ".join(splits_made(missing))
    for own in lacking:
        message = (
            f"class '{own}' has too few rows ({rows[own]}) for {splits}: add some, leave them "
            "out, or give --validation-data and --test-data"
        )
        report(Defect(name, message))
    if moved:
        told = ", ".join(f"{n} of '{own}' to {to}" for (own, to), n in sorted(moved.items()))
        logging.getLogger("textapps").warning(
            "%s: rows moved so that every split has every class: %s", name, told
        )


def splits_made(missing: Collection[str]) -> list[str]:
    """The training split and the missing ones, in the usual order."""
    return [split for split in SPLITS if split == "train" or split in missing]
