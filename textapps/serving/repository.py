"""The models under a directory, loaded, renewed and unloaded as their files come and go."""

import gc
import logging
import threading
from pathlib import Path

from textapps.savedmodel.loading import import_tensorflow
from textapps.serving.batcher import Batching
from textapps.serving.errors import DirectoryError, NotFound
from textapps.serving.model_version import ModelVersion, OnBatch
from textapps.serving.served_model import ServedModel, Status

_LARGEST_VERSION = 2**63 - 1  # TensorFlow Serving's versions are int64

_log = logging.getLogger("textapps")


class Repository:
    """Serves every `<directory>/<model>/<integer version>/` that holds a SavedModel.

    Of each model the newest version that loads, as TensorFlow Serving does by default; it is
    found from the moment that it is loaded and warmed up, and until then the one before.
    """

    def __init__(
        self,
        directory: Path | str,
        batching: Batching | None = None,
        *,
        poll_seconds: float = 1.0,
        on_batch: OnBatch = lambda model, version, signature, rows: None,
    ) -> None:
        """`on_batch` is told in the event loop of each call that begins."""
        self._directory = Path(directory)
        self._batching = batching or Batching()
        self._poll_seconds = poll_seconds
        self._on_batch = on_batch
        self._models: dict[str, ServedModel] = {}  # replaced, never changed: others read it
        self._removed: list[ServedModel] = []  # of which somebody holds a version still
        self._ready = False
        self._complaint = ""
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="repository", daemon=True)

    def start(self) -> None:
        """Look for models now and every `poll_seconds`, in a thread of its own.

        Returns at once; `ready` tells when everything is loaded.

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
        """Look no more, and wait until a load under way has ended; what is loaded stays so."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(timeout_seconds)

    def poll(self) -> bool:
        """Look once, load what is new and unload what is gone: what the thread does each time.

        Returns whether anything was loaded, or unloaded and freed. Raises OSError where the
        directory cannot be read; then nothing changes.
        """
        found = _look(self._directory)
        before = self._models
        self._models = {
            name: before.get(name) or ServedModel(name, max(versions), self._load)
            for name, versions in found.items()
        }
        self._removed += [before[name] for name in before.keys() - found.keys()]
        changed = False
        for model in self._removed:
            changed |= model.update({})
        self._removed = [model for model in self._removed if model.statuses]
        for name, model in self._models.items():
            if self._stopping.is_set():
                return changed
            changed |= model.update(found[name])
        self._ready = self._ready or (
            bool(self._models) and all(model.loaded for model in self._models.values())
        )
        return changed

    @property
    def ready(self) -> bool:
        """Whether there have been models, and of each a version loaded and warmed up."""
        return self._ready

    def names(self) -> list[str]:
        """The models that there are, loaded or not, in order."""
        return sorted(self._models)

    def loaded(self) -> list[ModelVersion]:
        """Every version that can be found."""
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

    def _load(self, name: str, version: int, directory: Path) -> ModelVersion:
        return ModelVersion(name, version, directory, self._batching, self._on_batch)

    def _run(self) -> None:
        import_tensorflow()
        while not self._stopping.is_set():
            try:
                if self.poll():
                    _hide_from_collector()
            except OSError as error:
                self._complain(f"cannot read {self._directory} ({error}): its models stay")
            except Exception:
                _log.exception("looking for models in %s failed", self._directory)
            else:
                self._complain(
                    ""
                    if self._models
                    else f"no <model>/<version>/saved_model.pb in {self._directory} yet: waiting"
                )
            self._stopping.wait(self._poll_seconds)

    def _complain(self, complaint: str) -> None:
        """Say it once, not at every look."""
        if complaint and complaint != self._complaint:
            _log.warning("%s", complaint)
        self._complaint = complaint


def _hide_from_collector() -> None:
    """Have Python's collector pass by what is there now, after a last look for what is not used.

    To look through all that TensorFlow holds takes so long that requests would be late.
    """
    gc.unfreeze()
    gc.collect()
    gc.freeze()


def _look(directory: Path) -> dict[str, dict[int, Path]]:
    """Model → version → directory, of the versions that have been written in full.

    A version directory without saved_model.pb is one that is being written.
    """
    found = {}
    for model in sorted(directory.iterdir()):
        if model.name.startswith("."):
            continue
        try:
            versions = {int(path.name): path for path in model.iterdir() if _is_version(path)}
        except (NotADirectoryError, FileNotFoundError, PermissionError):
            continue  # a file, gone by now, or none of ours
        if versions:
            found[model.name] = versions
    return found


def _is_version(path: Path) -> bool:
    name = path.name
    return (
        name.isascii()
        and name.isdigit()
        and int(name) <= _LARGEST_VERSION
        and (path / "saved_model.pb").is_file()
    )
