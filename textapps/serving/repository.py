"""The models in a directory, loaded, updated and unloaded as their files come and go."""

import errno
import gc
import logging
import os
import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Literal

from textapps.savedmodel.loading import import_tensorflow
from textapps.serving.batching import Batching
from textapps.serving.errors import DirectoryError, NotFound
from textapps.serving.model_version import ModelVersion, OnBatch
from textapps.serving.served_model import ServedModel, Status

# More would compete for the interpreter, in which half of a load runs.
_LOADS_AT_ONCE = min(2, os.cpu_count() or 1)
_LARGEST_VERSION = 2**63 - 1  # TensorFlow Serving's versions are int64

_log = logging.getLogger("textapps")


class Repository:
    """Serves every `<directory>/<model>/<integer version>/` that holds a SavedModel.

    Of each model it serves the newest version that loads, as TensorFlow Serving does by default, or
    the newest few. A new version replaces the oldest once it is loaded and warmed up.
    """

    def __init__(
        self,
        directory: Path | str,
        batching: Batching | None = None,
        *,
        poll_seconds: float = 1.0,
        on_batch: OnBatch = lambda model, version, signature, rows: None,
        verify_files: bool = True,
        compiled: bool = True,
        ready_when: Literal["any", "all"] = "any",
        versions: int = 1,
    ) -> None:
        """`on_batch` is called in the event loop when a model call begins."""
        self._directory = Path(directory)
        self._poll_seconds = poll_seconds
        self._load = partial(
            ModelVersion,
            batching=batching or Batching(),
            on_batch=on_batch,
            verify_files=verify_files,
            compiled=compiled,
        )
        self._ready_when = ready_when
        self._versions = versions
        self._models: dict[str, ServedModel] = {}  # replaced, never changed: others read it
        self._removed: list[ServedModel] = []  # of which somebody holds a version still
        self._begun = False
        self._complaints: set[str] = set()
        self._broken: dict[str, str] = {}  # model → an error that nobody expected
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="repository", daemon=True)

    def start(self) -> None:
        """Start a thread that looks for models now and every `poll_seconds`.

        Returns at once; `ready` says when everything is loaded.

        Raises:
            DirectoryError: the directory is missing, or is a model itself.
        """
        directory = self._directory
        if not directory.is_dir():
            raise DirectoryError(
                f"there is no directory {directory}: name the one that holds "
                "<model>/<version>/saved_model.pb; `textapps <task> export` makes models/exported"
            )
        for depth, pattern in enumerate(["saved_model.pb", "[0-9]*/saved_model.pb"]):
            if any(directory.glob(pattern)):
                parent = directory.resolve().parents[1 - depth]
                what = ("version of a model", "model")[depth]
                raise DirectoryError(f"{directory} is a single {what}: serve {parent} instead")
        self._thread.start()

    def stop(self, timeout_seconds: float | None = None) -> None:
        """Stop looking, and wait until a running load has ended. Loaded models stay loaded."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(timeout_seconds)

    def poll(self) -> bool:
        """Look once: load what is new and unload what is gone.

        Returns whether a version was loaded or freed. Raises OSError if the directory cannot be
        read; then nothing changes. A model that cannot be read stays as it is, and an error in one
        model does not affect the others.
        """
        found, unreadable = _look(self._directory)
        before = self._models
        kept = {name: before[name] for name in unreadable.keys() & before.keys()}
        self._models = kept | {
            name: before.get(name)
            or ServedModel(name, max(versions), self._load, kept=self._versions)
            for name, versions in found.items()
        }
        self._removed += [before[name] for name in before.keys() - self._models.keys()]
        complaints = {f"cannot read {path} ({reason})" for path, reason in unreadable.values()}
        if not self._models:
            complaints.add(f"no <model>/<version>/saved_model.pb in {self._directory} yet: waiting")
        self._complain(complaints)
        updates: list[tuple[ServedModel, Mapping[int, Path]]] = [
            (model, {}) for model in self._removed
        ]
        updates += [(self._models[name], versions) for name, versions in sorted(found.items())]
        if self._begun:  # one at a time, since requests would have to wait
            changed = [self._update(*update) for update in updates]
        else:
            with ThreadPoolExecutor(_LOADS_AT_ONCE) as pool:
                changed = list(pool.map(self._update, *zip(*updates, strict=True)))
        self._removed = [model for model in self._removed if model.statuses]
        enough = all if self._ready_when == "all" else any
        states = [model.state == "ready" for model in self._models.values()]
        self._begun = self._begun or (bool(states) and enough(states))
        return any(changed)

    @property
    def ready(self) -> bool:
        """Whether a model is loaded, and the start is over.

        The start is over once every model has been tried and one of them is loaded, or with
        `ready_when` "all" once all are.
        """
        return self._begun and any(model.state == "ready" for model in self._models.values())

    def states(self) -> dict[str, str]:
        """Model → "ready", "loading" or "failed", in the order of the names."""
        return {name: model.state for name, model in sorted(self._models.items())}

    def names(self) -> list[str]:
        """The names of all models, loaded or not, in order."""
        return sorted(self._models)

    def loaded(self) -> list[ModelVersion]:
        """Every loaded version."""
        return [version for model in self._models.values() for version in model.loaded]

    def find(self, name: str, version: int | None = None) -> ModelVersion:
        """A loaded version of a model, the newest by default. Raises NotFound."""
        return self._model(name).find(version)

    def statuses(self, name: str) -> list[Status]:
        """The versions of a model, newest first. Raises NotFound."""
        return self._model(name).statuses

    def _model(self, name: str) -> ServedModel:
        model = self._models.get(name)
        if model is None:
            raise NotFound(f"there is no model '{name}'")
        return model

    def _update(self, model: ServedModel, found: Mapping[int, Path]) -> bool:
        if self._stopping.is_set():
            return False
        try:
            changed = model.update(found)
        except Exception as error:
            if self._broken.get(model.name) != repr(error):  # say it once, not at every look
                _log.exception("looking for versions of model '%s' failed", model.name)
            self._broken[model.name] = repr(error)
            return False
        self._broken.pop(model.name, None)
        return changed

    def _run(self) -> None:
        import_tensorflow()
        while not self._stopping.is_set():
            try:
                if self.poll():
                    _hide_from_collector()
            except OSError as error:
                self._complain({f"cannot read {self._directory} ({error}): its models stay"})
            except Exception:
                _log.exception("looking for models in %s failed", self._directory)
            self._stopping.wait(self._poll_seconds)

    def _complain(self, complaints: set[str]) -> None:
        """Log each complaint once, not at every look."""
        for complaint in sorted(complaints - self._complaints):
            _log.warning("%s", complaint)
        self._complaints = complaints


def _hide_from_collector() -> None:
    """Collect garbage a last time, and then exclude all present objects from collection.

    A collection that visits everything TensorFlow holds takes so long that requests would be late.
    """
    gc.unfreeze()
    gc.collect()
    gc.freeze()
    # Python collects everything once the new objects are a quarter of those that the last such
    # collection left. With TensorFlow's counted in, failed requests would be kept for minutes.
    gc.collect()


def _look(directory: Path) -> tuple[dict[str, dict[int, Path]], dict[str, tuple[Path, str]]]:
    """Finds complete versions, and models that cannot be read.

    A version directory without saved_model.pb is still being written.

    Returns:
        Model → version → directory; model → path and reason.
    """
    found, unreadable = {}, {}
    for model in sorted(directory.iterdir()):
        if model.name.startswith("."):
            continue
        try:
            versions = {int(path.name): path for path in model.iterdir() if _is_version(path)}
        except OSError as error:
            if error.errno not in (errno.ENOTDIR, errno.ENOENT):  # a file, or gone by now
                unreadable[model.name] = (model, error.strerror or str(error))
            continue
        if versions:
            found[model.name] = versions
    return found, unreadable


def _is_version(path: Path) -> bool:
    name = path.name
    if not (name.isascii() and name.isdigit() and int(name) <= _LARGEST_VERSION):
        return False
    try:
        return (path / "saved_model.pb").is_file()
    except PermissionError:
        return True  # to fail when it is loaded, which shows in its status
