"""Entries are made once, found again, and made again when they are damaged."""

import errno
import logging
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from textapps.cache import place
from textapps.cache.entry import RECORD, Entry, EntryError
from textapps.cache.mapped import BLOCK_BYTES
from textapps.cache.store import Cache
from textapps.cache.writing import EntryWriter
from textapps.core.errors import ConfigurationError
from textapps.core.notices import notice

NUMBERS = np.arange(11, dtype="<i4") * 7


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    return Cache(tmp_path / "cache")


class Maker:
    """Fills an entry with three arrays in pieces, and counts how often."""

    def __init__(self, numbers: np.ndarray = NUMBERS) -> None:
        self.numbers, self.times = numbers, 0

    def __call__(self, into: EntryWriter) -> None:
        self.times += 1
        into.create({"numbers": self.numbers.dtype.str, "empty": "<u2"})
        for piece in np.array_split(self.numbers, 3):
            into.append(numbers=piece, empty=[])
        into.write(small=np.array([True, False]))
        into.fields["labels"] = ["größer", "0"]
        notice("%d numbers of pets.csv", len(self.numbers))


def kept(cache: Cache, make: Callable[[EntryWriter], None], key: str = "a", of: str = "x") -> Entry:
    entry = cache.kept("table", {"key": key}, make, of)
    assert entry is not None
    return entry


def test_an_entry_is_made_once_and_says_again_what_was_said(
    cache: Cache, caplog: pytest.LogCaptureFixture
) -> None:
    make = Maker()
    with caplog.at_level(logging.INFO, "textapps"):
        kept(cache, make, of="pets.csv")
        assert caplog.messages[0].startswith("pets.csv: prepared once, and kept in ")
        first = caplog.messages[1:]
        caplog.clear()
        again = kept(cache, make, of="copy.csv")
    assert (make.times, first, caplog.messages) == (
        1,
        ["11 numbers of pets.csv"],
        ["11 numbers of copy.csv"],
    )
    assert again.fields["labels"] == ["größer", "0"]
    np.testing.assert_array_equal(again.values("numbers"), NUMBERS)
    np.testing.assert_array_equal(
        again.arrays["numbers"][np.array([[9, 0], [3, 3]])], [[63, 0], [21, 21]]
    )
    assert [len(again.arrays[name]) for name in ("empty", "small")] == [0, 2]
    assert kept(cache, make, key="b").directory != again.directory


def damage_a_byte(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


DAMAGES: dict[str, Callable[[Path], object]] = {
    "a byte": lambda entry: damage_a_byte(entry / "numbers"),
    "truncated": lambda entry: os.truncate(entry / "numbers", 8),
    "missing": lambda entry: (entry / "numbers").unlink(),
    "no record": lambda entry: (entry / RECORD).unlink(),
    "half a record": lambda entry: os.truncate(entry / RECORD, 20),
    "another format": lambda entry: (entry / RECORD).write_text('{"format": 9}'),
    "another record": lambda entry: (entry / RECORD).write_text('{"format": 1, "fields": {}}'),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_entry_is_made_again(
    cache: Cache, caplog: pytest.LogCaptureFixture, damage: str
) -> None:
    make = Maker()
    DAMAGES[damage](kept(cache, make).directory)
    with caplog.at_level(logging.INFO, "textapps"):
        entry = kept(cache, make)
    assert make.times == 2
    assert any("is damaged" in message for message in caplog.messages) == (damage != "no record")
    np.testing.assert_array_equal(entry.values("numbers"), NUMBERS)
    kept(cache, make)
    assert make.times == 2


def test_every_block_has_a_checksum_of_its_own(cache: Cache) -> None:
    make = Maker(np.arange(2 * BLOCK_BYTES // 8 + 5))
    entry = kept(cache, make)
    with (entry.directory / "numbers").open("r+b") as file:
        file.seek(BLOCK_BYTES + 9)
        file.write(b"\xff")
    with pytest.raises(EntryError, match="numbers has another checksum"):
        Entry(entry.directory)


def test_nothing_remains_of_what_could_not_be_made(cache: Cache) -> None:
    def fail(into: EntryWriter) -> None:
        Maker()(into)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        kept(cache, fail)
    assert cache.entries() == []
    assert [path.suffix for path in cache.root.iterdir()] == [".lock"]


def test_without_room_nothing_is_kept_and_a_warning_says_so(
    cache: Cache, caplog: pytest.LogCaptureFixture
) -> None:
    def fill(into: EntryWriter) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    assert cache.kept("table", {}, fill, "pets.csv") is None
    (message,) = [one for one in caplog.messages if "cannot be kept" in one]
    assert message.startswith(f"pets.csv: cannot be kept in {cache.root} (No space left on device)")
    assert place.CACHE_VARIABLE in message


def test_a_folder_that_cannot_be_written(cache: Cache, caplog: pytest.LogCaptureFixture) -> None:
    cache.root.parent.mkdir(exist_ok=True)
    cache.root.write_text("a file")  # root may write into folders that are read-only
    make = Maker()
    assert cache.kept("table", {}, make, "pets.csv") is None
    assert "cannot be kept" in caplog.text
    assert make.times == 0
    assert cache.noted({}, lambda: "computed") == "computed"


def test_those_used_longest_ago_are_removed(cache: Cache, monkeypatch: pytest.MonkeyPatch) -> None:
    make = Maker()
    for age, key in enumerate("abc"):
        entry = kept(cache, make, key, of=key)
        os.utime(entry.directory / RECORD, (1_000 - age, 1_000 - age))
    used = kept(cache, make, "c", of="c")
    assert [entry.of for entry in cache.entries()] == ["c", "a", "b"]
    os.utime(used.directory / RECORD, (2_000, 2_000))  # clocks may tick once in some milliseconds
    size = cache.entries()[0].size_bytes
    monkeypatch.setenv(place.LIMIT_VARIABLE, f"{2.5 * size / 1e9:.12f}")
    held = kept(cache, make, "a", of="a")
    kept(cache, make, "d", of="d")
    assert [entry.of for entry in cache.entries()] == ["d", "a"]
    monkeypatch.setenv(place.LIMIT_VARIABLE, "0")
    kept(cache, make, "e", of="e")  # what was asked for stays
    assert [entry.of for entry in cache.entries()] == ["e"]
    np.testing.assert_array_equal(held.values("numbers"), NUMBERS)  # although it was removed


def test_all_is_cleared_but_what_is_being_written(cache: Cache) -> None:
    kept(cache, Maker(), "a")
    cache.noted({"of": "a file"}, lambda: "sha256")
    begun, go_on = threading.Event(), threading.Event()

    def slow(into: EntryWriter) -> None:
        begun.set()
        assert go_on.wait(60)
        Maker()(into)

    writer = threading.Thread(target=kept, args=(cache, slow, "b"))
    writer.start()
    assert begun.wait(60)
    assert cache.clear() > 0
    assert cache.entries() == []
    assert cache.note({"of": "a file"}) is None
    go_on.set()
    writer.join()
    assert len(cache.entries()) == 1
    cache.clear()
    assert list(cache.root.iterdir()) == []


def test_what_is_no_entry_stays(cache: Cache) -> None:
    """The folder may be named by mistake, and hold somebody's data."""
    kept(cache, Maker(), "a")
    cache.noted({}, lambda: "a line")
    own = [cache.root / "raw" / "thesis.csv", cache.root / "notes" / "mine.txt"]
    for path in own:
        path.parent.mkdir(exist_ok=True)
        path.write_text("precious")
    cache.clear()
    assert [path.read_text() for path in own] == ["precious", "precious"]
    assert cache.entries() == []
    assert sorted(path.name for path in cache.root.iterdir()) == ["notes", "raw"]


def test_a_damaged_note_is_computed_again(cache: Cache) -> None:
    cache.noted({}, lambda: "a line")
    (note,) = (cache.root / "notes").iterdir()
    for damaged in (b"", note.read_bytes()[:-1], b"\xff"):
        note.write_bytes(damaged)
        assert cache.note({}) is None
        assert cache.noted({}, lambda: "another") == "another"


SCRIPT = """
import sys, time
from pathlib import Path
from textapps.cache.store import Cache

def make(into):
    with Path(sys.argv[2]).open("a") as log:
        log.write("made\\n")
    time.sleep(0.2)
    into.write(numbers=__import__("numpy").arange(5))

print(Cache(Path(sys.argv[1])).kept("table", {}, make, "x").values("numbers").sum())
"""


def test_one_of_several_processes_makes_an_entry(tmp_path: Path) -> None:
    asked = [sys.executable, "-c", SCRIPT, str(tmp_path / "cache"), str(tmp_path / "log")]
    workers = [subprocess.Popen(asked, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    assert [worker.communicate()[0] for worker in workers] == ["10\n"] * 4
    assert (tmp_path / "log").read_text() == "made\n"


@pytest.mark.parametrize("given", ["many", "-1", "inf", "nan"])
def test_a_limit_is_a_number(monkeypatch: pytest.MonkeyPatch, given: str) -> None:
    monkeypatch.setenv(place.LIMIT_VARIABLE, given)
    with pytest.raises(ConfigurationError, match=rf"{place.LIMIT_VARIABLE} is '{given}'"):
        place.limit_bytes()
