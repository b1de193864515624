"""The entries of the cache: made once, found again, bounded in size."""

import contextlib
import errno
import fcntl
import hashlib
import json
import logging
import os
import re
import shutil
from collections.abc import Callable, Iterator, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

from textapps.cache.entry import RECORD, Entry, EntryError
from textapps.cache.place import CACHE_VARIABLE, cache_dir, limit_bytes
from textapps.cache.writing import EntryWriter
from textapps.core.files import remove_directory, synchronise_tree, write_file
from textapps.core.notices import notice, recorded
from textapps.core.records import RecordError, read_record

LOGGER = logging.getLogger("textapps")
FORMAT = 1
"""Part of every key: entries of another format are other entries."""
_HALF = ".half"  # what the folder of an entry that is being written ends with
_LOCK = ".lock"
_NOTES = "notes"
_NAME = re.compile(r"[\w-]+-[0-9a-f]{24}")
_NOTE = re.compile(r"[0-9a-f]{64}")


class Listed(NamedTuple):
    """An entry, as `textapps data cache` lists it.

    of: what was prepared, in words
    used: when it was used last, in seconds since 1970
    """

    name: str
    of: str
    size_bytes: int
    used: float


class Cache:
    """A folder of entries, which processes share.

    An entry is made by one process while others that need it wait, and appears when it is whole.
    Those that were used longest ago are removed when all together are larger than
    `textapps.cache.place.limit_bytes`.
    """

    def __init__(self, root: Path | None = None) -> None:
        self.root = cache_dir() / "data" if root is None else root

    def kept(
        self,
        kind: str,
        key: Mapping[str, object],
        make: Callable[[EntryWriter], None],
        of: str,
    ) -> Entry | None:
        """The entry of a key, which is made if it is missing or damaged.

        None if it cannot be kept, because the disk is full or the folder cannot be written. A
        warning says so.

        Args:
            key: what JSON can hold, and all that the content depends on.
            make: fills the entry; its errors, other than those of the file system, are raised.
            of: what is prepared, for messages and lists.
        """
        content = json.dumps([FORMAT, version("textapps"), kind, key], sort_keys=True)
        name = f"{kind}-{hashlib.sha256(content.encode()).hexdigest()[:24]}"
        if (found := self.found(name, of)) is not None:
            return found
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            with self._locked(name, of):
                found = self.found(name, of)
                if found is None:
                    self._make(name, make, of)
                    found = Entry(self.root / name)
        except OSError as error:
            LOGGER.warning(
                "%s: cannot be kept in %s (%s), so it is held in memory; name another folder by %s",
                of,
                self.root,
                error.strerror or error,
                CACHE_VARIABLE,
            )
            return None
        self.shrink(limit_bytes(), but=name)
        return found

    def found(self, name: str, of: str) -> Entry | None:
        """The entry of a name; None if it is missing or damaged.

        What was said while it was made is said again.
        """
        try:
            entry = Entry(self.root / name)
            for level, message in entry.fields["said"]:
                # `of` may be a path, and this a copy with another one.
                known = str(message).replace(entry.fields["of"], of)
                LOGGER.log(int(level), "%s", known)
            return entry
        except EntryError as error:
            notice("%s: what was kept in %s is damaged (%s); making it again", of, self.root, error)
        except OSError:
            pass
        return None

    def noted(self, key: Mapping[str, object], compute: Callable[[], str]) -> str:
        """A line that takes long to compute; it is kept beside the entries if it can be."""
        found = self.note(key)
        if found is None:
            found = compute()
            self.write_note(key, found)
        return found

    def note(self, key: Mapping[str, object]) -> str | None:
        """The line that was noted; None if none was, or it is damaged."""
        with contextlib.suppress(OSError, UnicodeDecodeError):
            checksum, _, line = self._note(key).read_text(encoding="utf-8").partition(" ")
            if checksum == _checksum(line):
                return line
        return None

    def write_note(self, key: Mapping[str, object], line: str) -> None:
        """Keeps a line if the folder can be written."""
        path = self._note(key)
        with contextlib.suppress(OSError):
            path.parent.mkdir(parents=True, exist_ok=True)
            write_file(path, f"{_checksum(line)} {line}")

    def entries(self) -> list[Listed]:
        """All entries, those used last first."""
        found = []
        for path in self.root.glob(f"*/{RECORD}"):
            if path.parent.suffix == _HALF:
                continue
            with contextlib.suppress(OSError, RecordError, KeyError):
                used, of = path.stat().st_mtime, str(read_record(path)["fields"]["of"])
                found.append(Listed(path.parent.name, of, _size(path.parent), used))
        return sorted(found, key=lambda entry: -entry.used)

    def shrink(self, most_bytes: int, but: str = "") -> list[Listed]:
        """Removes the entries used longest ago until all have at most so many bytes.

        Processes that use one of them can go on; the disk has the room when they end.

        Args:
            but: the name of one that stays.

        Returns:
            Those that were removed.
        """
        removed = []
        entries = self.entries()
        total = sum(entry.size_bytes for entry in entries)
        for entry in reversed(entries):
            if total > most_bytes and entry.name != but:
                with contextlib.suppress(OSError):
                    remove_directory(self.root / entry.name)
                    total -= entry.size_bytes
                    removed.append(entry)
        return removed

    def clear(self) -> int:
        """Removes the entries that no process is writing; returns the number of bytes.

        Other files and folders stay, because the folder may be one that holds more.

        Raises:
            OSError: something cannot be removed.
        """
        if self.root.parent.exists() and not self.root.parent.is_dir():
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))
        paths = self.root.iterdir() if self.root.is_dir() else ()
        names = {path.name.removesuffix(_LOCK).removesuffix(_HALF) for path in paths}
        removed = 0
        for name in filter(_NAME.fullmatch, names):
            with (self.root / f"{name}{_LOCK}").open("w") as lock:
                try:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    continue
                for folder in (self.root / name, self.root / f"{name}{_HALF}"):
                    if folder.exists():
                        removed += _size(folder)
                        shutil.rmtree(folder)
                (self.root / f"{name}{_LOCK}").unlink()
        for note in (self.root / _NOTES).glob("*"):
            if _NOTE.fullmatch(note.name):
                removed += note.stat().st_size
                note.unlink()
        with contextlib.suppress(OSError):  # it holds something else
            (self.root / _NOTES).rmdir()
        return removed

    def _note(self, key: Mapping[str, object]) -> Path:
        content = json.dumps([FORMAT, key], sort_keys=True)
        return self.root / _NOTES / hashlib.sha256(content.encode()).hexdigest()

    def _make(self, name: str, make: Callable[[EntryWriter], None], of: str) -> None:
        """Writes an entry; only the holder of its lock may. Nothing remains after an error."""
        half = self.root / f"{name}{_HALF}"
        shutil.rmtree(half, ignore_errors=True)  # of a process that was killed
        notice("%s: prepared once, and kept in %s", of, self.root)
        try:
            half.mkdir()
            with EntryWriter(half) as writer:
                with recorded() as said:
                    make(writer)
                writer.fields.update(of=of, said=said)
                writer.finish()
            synchronise_tree(half)
            if (self.root / name).exists():  # it is damaged
                remove_directory(self.root / name)
            half.rename(self.root / name)
        except BaseException:
            shutil.rmtree(half, ignore_errors=True)
            raise

    @contextlib.contextmanager
    def _locked(self, name: str, of: str) -> Iterator[None]:
        path, held = self.root / f"{name}{_LOCK}", False
        while not held:
            with path.open("w") as lock:
                try:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    notice("%s: another process is preparing it, waiting for it", of)
                    fcntl.flock(lock, fcntl.LOCK_EX)
                # `clear` may have removed it meanwhile, and another process made a new one.
                if held := os.fstat(lock.fileno()).st_nlink > 0:
                    yield


def _checksum(line: str) -> str:
    return hashlib.sha256(line.encode()).hexdigest()


def _size(directory: Path) -> int:
    """The bytes of all files below a folder."""
    total = 0
    for folder, _, names in os.walk(directory):
        for name in names:
            with contextlib.suppress(OSError):  # removed meanwhile
                total += (Path(folder) / name).stat().st_size
    return total
