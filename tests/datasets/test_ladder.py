"""One way from `--data` to a source, tried for every kind of example."""

import gzip
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from textapps.core.errors import DataError
from textapps.datasets.clips.config import ClipsConfig
from textapps.datasets.clips.sources import open_clips
from textapps.datasets.config import CorpusConfig, DataConfig, PairsConfig
from textapps.datasets.corpus.sources import open_documents
from textapps.datasets.pairs.sources import open_pairs
from textapps.datasets.source import Source
from textapps.datasets.texts.sources import open_texts


class Kind(NamedTuple):
    """How a kind opens a source, and what holds three examples of it."""

    open: Callable[[str, str | None], Source]
    table: str
    folder: dict[str, str]
    sample: int


KINDS = {
    "texts": Kind(
        lambda source, data_dir: open_texts(source, DataConfig(data_dir=data_dir)),
        "label,text\ncat,purrs\ncat,meows\ndog,barks\n",
        {"cat/a.txt": "purrs", "cat/b.txt": "meows", "dog/c.txt": "barks"},
        1_200,
    ),
    "corpus": Kind(
        lambda source, data_dir: open_documents(source, CorpusConfig(data_dir=data_dir)),
        "text\npurrs\nmeows\nbarks\n",
        {"a.txt": "purrs", "b.md": "meows", "c/d.text": "barks"},
        1,
    ),
    "pairs": Kind(
        lambda source, data_dir: open_pairs(source, PairsConfig(data_dir=data_dir)),
        "source,target\none,eins\ntwo,zwei\nthree,drei\n",
        {},
        4_000,
    ),
    "clips": Kind(
        lambda source, data_dir: open_clips(source, ClipsConfig(data_dir=data_dir)),
        "path,label\na.wav,yes\nb.wav,no\nc.wav,no\n",
        {"yes/a.wav": "", "no/b.wav": "", "no/c.wav": ""},
        960,
    ),
}
each_kind = pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)


@each_kind
def test_the_sample(kind: Kind) -> None:
    source = kind.open("sample", None)
    assert (source.name, source.own_splits) == ("sample", frozenset())
    assert len(source.examples(None)) == kind.sample


@each_kind
def test_a_file(kind: Kind, write) -> None:
    for name in ("my rows.csv", "my rows.CSV.gz"):
        raw = kind.table.encode()
        path = write(name, gzip.compress(raw) if name.endswith("gz") else raw)
        source = kind.open(str(path), None)
        assert (source.name, len(source.examples(None))) == ("my-rows", 3)


@each_kind
def test_a_folder(kind: Kind, write, tmp_path: Path) -> None:
    folder = tmp_path / "my folder"
    folder.mkdir()
    for name, content in kind.folder.items():
        write(f"my folder/{name}", content)
    if not kind.folder:
        with pytest.raises(DataError, match="my folder: a folder cannot be read as pairs; name a"):
            kind.open(str(folder), None)
        return
    source = kind.open(str(folder), None)
    assert (source.name, len(source.examples(None))) == ("my-folder", 3)


@pytest.fixture
def prepared(prepare, prepare_pairs, prepare_clips) -> dict[str, Path]:
    """A set of version 1.0.0 for each kind, in the same folder."""
    texts = prepare("pets", train=[("purrs", 0), ("meows", 0), ("barks", 1)])
    pairs = [("um", "one"), ("dois", "two"), ("três", "three")]
    return {
        "texts": texts,
        "corpus": texts,
        "pairs": prepare_pairs("talks", ("pt", "en"), "pt_to_en", train=pairs),
        "clips": prepare_clips(train=[([1] * 200, 0), ([2] * 200, 0), ([3] * 200, 1)]),
    }


@pytest.mark.parametrize("kind", KINDS)
def test_a_prepared_set(kind: str, prepared: dict[str, Path], monkeypatch) -> None:
    directory = prepared[kind]
    data_dir = next(folder for folder in directory.parents if folder.name == "prepared")
    relative = directory.relative_to(data_dir).as_posix()
    name, _, version = relative.rpartition("/")
    short = name.partition("/")[0]
    for source, where, called in (
        (name, str(data_dir), name),
        (f"{name}:{version}", str(data_dir), f"{name}-{version}"),
        (short, str(data_dir), short),
        (short, None, short),
        (str(data_dir / short), None, name),
    ):
        monkeypatch.setenv("TFDS_DATA_DIR", str(data_dir if where is None else data_dir / "none"))
        opened = KINDS[kind].open(source, where)
        assert opened.name == called.replace("/", "-")
        assert (opened.own_splits, len(opened.examples("train"))) == ({"train"}, 3)
    with pytest.raises(DataError, match=rf"'{short}:2\.0\.0' is neither a file or folder nor a"):
        KINDS[kind].open(f"{short}:2.0.0", str(data_dir))


@each_kind
def test_what_is_not_there(kind: Kind, write, tmp_path: Path) -> None:
    near = write("rows.csv", kind.table)
    for source, message in (
        (str(tmp_path / "rwos.csv"), f"no such file or folder: .*; did you mean '{near}'"),
        (str(tmp_path / "rows.xls"), f"no such file or folder: .*; did you mean '{near}'"),
        (str(tmp_path / "none/rows.csv"), "no such file or folder: .*there is no folder .*none"),
        ("rows.tsv.gz", "no such file or folder: rows.tsv.gz"),
        ("train.en", "no such file or folder: train.en"),
        ("./pets", "no such file or folder: pets"),
        ("~/nowhere-at-all", "no such file or folder: /"),
        ("sampel", "'sampel' is neither a file or folder .*; did you mean 'sample'"),
        ("imdb_review", "'imdb_review' is neither a file .*; did you mean 'imdb_reviews'"),
    ):
        with pytest.raises(DataError, match=message):
            kind.open(source, str(tmp_path))


@pytest.mark.parametrize("kind", ["texts", "pairs", "clips"])
def test_a_file_of_an_unknown_kind(kind: str, write) -> None:
    path = str(write("rows.docx", ""))
    with pytest.raises(DataError, match=r"rows\.docx: unknown kind of file, use \.csv, .* or "):
        KINDS[kind].open(path, None)
