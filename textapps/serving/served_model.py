"""The versions of one model: those that are loaded, and the state of the others."""

import gc
import logging
import time
import weakref
from collections.abc import Callable, Mapping
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from textapps.savedmodel.errors import explain, for_clients
from textapps.serving.errors import NotFound, ServingError
from textapps.serving.model_version import ModelVersion

_LONGEST_PAUSE_SECONDS = 60.0

_Stamp = frozenset[tuple[str, int, int, int]]

_log = logging.getLogger("textapps")


class Status(NamedTuple):
    """The state of a version, as TensorFlow Serving reports it.

    `state` is START, LOADING, AVAILABLE, UNLOADING or END, `error_code` OK or the name of one of
    TensorFlow's codes, `message` empty or one line.
    """

    version: int
    state: str
    error_code: str = "OK"
    message: str = ""


class _Failure(NamedTuple):
    """A failed load: the state of its files, the number of attempts, when to retry, the error."""

    stamp: _Stamp
    times: int
    again: float
    message: str


class ServedModel:
    """Serves the newest versions that load; those before serve until then.

    One thread updates it while others read, so shared values are replaced and never modified.
    """

    def __init__(
        self,
        name: str,
        newest: int,
        load: Callable[[str, int, Path], ModelVersion],
        clock: Callable[[], float] = time.monotonic,
        *,
        kept: int = 1,
    ) -> None:
        """Load nothing yet; `newest` is the version that the first update will find.

        `kept` is the number of versions to serve.
        """
        self.name = name
        self._load = load
        self._clock = clock
        self._kept = kept
        self._loaded: dict[int, ModelVersion] = {}
        self._statuses = {newest: Status(newest, "START")}
        self._failed: dict[int, _Failure] = {}
        self._leaving: dict[int, weakref.ref[ModelVersion]] = {}

    @property
    def loaded(self) -> list[ModelVersion]:
        """The versions that can be found."""
        return list(self._loaded.values())

    @property
    def state(self) -> str:
        """ "ready" if a version is loaded, "failed" if none of them loads, "loading" until then."""
        if self._loaded:
            return "ready"
        failed = self._failed.keys() >= self._statuses.keys()
        return "failed" if failed and self._statuses else "loading"

    @property
    def statuses(self) -> list[Status]:
        """What is known of each version, newest first."""
        statuses = self._statuses
        return [statuses[version] for version in sorted(statuses, reverse=True)]

    def find(self, version: int | None = None) -> ModelVersion:
        """A loaded version, the newest by default. Raises NotFound."""
        loaded = self._loaded
        wanted = max(loaded, default=None) if version is None else version
        if wanted not in loaded:
            what = "is not loaded" if version is None else f"has no loaded version {version}"
            raise NotFound(f"model '{self.name}' {what}")
        return loaded[wanted]

    def update(self, found: Mapping[int, Path]) -> bool:
        """Serve the newest of the versions `found` on disk that load.

        A version that failed to load is tried again when its files change, and after 1, 2, 4, …
        seconds, at most 60. Returns whether a version has been loaded or freed.
        """
        before = set(self._loaded)
        newest_first = sorted(found, reverse=True)
        loading = (v for v in newest_first if v in self._loaded or self._try(v, found[v]))
        for version in self._loaded.keys() - set(islice(loading, self._kept)):
            self._unload(version)
        freed = self._see_off()
        self._failed = {v: failure for v, failure in self._failed.items() if v in found}
        self._statuses = {
            version: status
            for version, status in self._statuses.items()
            if version in found or version in self._leaving
        }
        return freed or bool(self._loaded.keys() - before)

    def _try(self, version: int, directory: Path) -> bool:
        stamp = _stamp(directory)
        failure = self._failed.get(version)
        if failure and failure.stamp == stamp and self._clock() < failure.again:
            return False
        self._set(Status(version, "LOADING"))
        start = time.perf_counter()
        try:
            model = self._load(self.name, version, directory)
            if _stamp(directory) != stamp:
                raise ServingError("its files have changed while it was loaded")
        except Exception as error:
            self._fail(version, stamp, error)
            return False
        self._failed.pop(version, None)
        self._loaded = {**self._loaded, version: model}
        self._set(Status(version, "AVAILABLE"))
        seconds = time.perf_counter() - start
        _log.info("model '%s' version %d is served after %.1f s", self.name, version, seconds)
        return True

    def _fail(self, version: int, stamp: _Stamp, error: Exception) -> None:
        before, message = self._failed.get(version), explain(error)
        times = before.times + 1 if before and before.stamp == stamp else 1
        pause = min(2.0 ** (times - 1), _LONGEST_PAUSE_SECONDS)
        self._failed[version] = _Failure(stamp, times, self._clock() + pause, message)
        self._set(Status(version, "END", _code(error), for_clients(message)))
        if not before or before.message != message:  # say it once, not at every try
            _log.warning("model '%s' version %d: %s", self.name, version, message)

    def _unload(self, version: int) -> None:
        self._leaving[version] = weakref.ref(self._loaded[version])
        self._set(Status(version, "UNLOADING"))
        self._loaded = {v: model for v, model in self._loaded.items() if v != version}

    def _see_off(self) -> bool:
        """Forget unloaded versions that nobody holds any more. Returns whether there were any."""
        if self._leaving:
            gc.collect()  # the error of a call may hold its version in a cycle
        gone = [version for version, model in self._leaving.items() if model() is None]
        for version in gone:
            del self._leaving[version]
            if version not in self._loaded:
                self._set(Status(version, "END"))
            _log.info("model '%s' version %d is unloaded", self.name, version)
        if gone:
            gc.collect()  # a SavedModel is full of cycles
        return bool(gone)

    def _set(self, status: Status) -> None:
        self._statuses = {**self._statuses, status.version: status}


def _stamp(directory: Path) -> _Stamp:
    """A value that changes when a file or its permissions change."""
    files = set()
    for path in directory.rglob("*"):
        try:
            status = path.stat()
        except OSError:
            continue
        files.add((str(path), status.st_size, status.st_mtime_ns, status.st_ctime_ns))
    return frozenset(files)


def _code(error: Exception) -> str:
    from tensorflow.core.protobuf.error_codes_pb2 import Code

    # TensorFlow raises an error of Python's for a missing file.
    code = getattr(error, "error_code", getattr(error.__context__, "error_code", Code.UNKNOWN))
    return str(Code.Name(code))
