"""Tatoeba's English and Spanish sentences, split so that nothing evaluated was trained on.

Part of benchmarks.translate. The file has the short sentences first; here they are in an order by
hash, so that a part of them is like the whole.
"""

import hashlib
from collections.abc import Iterable
from pathlib import Path

from textapps.datasets.config import PairsConfig
from textapps.datasets.pairs.loader import load_rows
from textapps.datasets.pairs.sources import Pair

FILE = "spa-eng.tsv.gz"
HELD_OUT = 2_000


def prepare(source: Path, folder: Path, held_out: int = HELD_OUT) -> tuple[Path, Path, Path]:
    """The files of train, validation and test, in the folder; written if they are not there.

    Training has all pairs of its split, which goes by the English sentence. The others have
    `held_out` pairs at most, in which neither sentence is one of training's, nor twice the same.
    """
    paths = (folder / "train.tsv", folder / "validation.tsv", folder / "tatoeba.tsv")
    if all(path.is_file() for path in paths):
        return paths
    splits = load_rows(PairsConfig(source=str(source)), ("train", "validation", "test"))
    train, validation, test = (sorted(rows, key=_place) for _, rows in splits)
    known = {side for pair in train for side in pair[:2]}
    folder.mkdir(parents=True, exist_ok=True)
    _write(paths[0], train)
    _write(paths[1], _apart(validation, known)[:held_out])
    _write(paths[2], _apart(test, known)[:held_out])
    return paths


def _place(pair: Pair) -> tuple[str, str]:
    return hashlib.sha1(pair.source.encode()).hexdigest(), pair.target


def _apart(pairs: Iterable[Pair], known: set[str]) -> list[Pair]:
    seen = set(known)
    kept = []
    for pair in pairs:
        if seen.isdisjoint(pair[:2]):
            seen.update(pair[:2])
            kept.append(pair)
    return kept


def _write(path: Path, pairs: Iterable[Pair]) -> None:
    aside = path.with_suffix(".aside")
    aside.write_text("".join(f"{pair.source}\t{pair.target}\n" for pair in pairs), encoding="utf-8")
    aside.replace(path)
