"""Exports of the pretrained models, made once and kept in the cache, for `serve --pretrained`.

`python -m textapps.cli.pretrained_exports DIR` writes those that DIR lacks: a server need not have
TensorFlow twice, and begins with the first of them while the others are being written.
"""

import fcntl
import hashlib
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import textapps
from textapps import __version__
from textapps.cache.place import CACHE_VARIABLE, cache_dir
from textapps.cli import console
from textapps.cli.main import describe
from textapps.cli.tensorflow_start import prepare_tensorflow
from textapps.core.counted import counted
from textapps.core.errors import TextappsError
from textapps.core.files import remove_leftovers
from textapps.core.names import TASKS
from textapps.pretrained import store
from textapps.pretrained.model import PretrainedModel

_LOOK_SECONDS = 0.1
_ROOT = Path(textapps.__file__).parents[1]


class PretrainedExports:
    """The exports of all pretrained models of an installation.

    directory: what a server serves. Other models, or another version of textapps, have another.

    Raises:
        RunError: a model is damaged.
        TextappsError: there are no models, or the cache cannot be written.
    """

    def __init__(self) -> None:
        self.models = [model for model in store.models() if model.description.task in TASKS]
        if not self.models:
            raise TextappsError("this installation has no pretrained models to serve")
        content = "".join([__version__, *sorted(model.fingerprint for model in self.models)])
        digest = hashlib.sha256(content.encode()).hexdigest()[:12]
        self.root = cache_dir() / f"pretrained-{digest}"
        self.directory = self.root / "exported"
        try:
            self.directory.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise TextappsError(
                f"cannot write {self.directory} ({error.strerror}): name another folder by "
                f"{CACHE_VARIABLE}"
            ) from error

    def missing(self) -> list[PretrainedModel]:
        """The models that have no export yet."""
        return [
            model
            for model in self.models
            if not any((self.directory / model.description.name).glob("*/saved_model.pb"))
        ]

    def begin(self) -> "subprocess.Popen[bytes] | None":
        """A process that writes what is missing, None if nothing is.

        Returns once there is something to serve.

        Raises:
            TextappsError: the process ended without any export; it has said why.
        """
        if not self.missing():
            return None
        console.say(
            f"preparing {len(self.missing())} pretrained models once, in {self.root}; each is "
            "served as soon as it is ready"
        )
        # Without the current folder, whose modules are somebody else's.
        command = [sys.executable, "-P", "-m", __name__, str(self.root)]
        paths = os.pathsep.join(filter(None, [str(_ROOT), os.environ.get("PYTHONPATH")]))
        process = subprocess.Popen(command, env={**os.environ, "PYTHONPATH": paths})
        while len(self.missing()) == len(self.models):
            if process.poll() is not None:
                raise TextappsError("no pretrained model could be prepared for serving")
            time.sleep(_LOOK_SECONDS)
        return process

    def write(self) -> None:
        """Writes what is missing, one by one.

        Raises:
            TextappsError: some could not be written; each has been said, and the others are there.
        """
        from textapps.tasks import lifecycle
        from textapps.tasks.registry import get_task
        from textapps.training.run_directory import RunDirectory

        failed = 0
        with (self.root / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # another server may be writing them
            for model in self.missing():
                task = get_task(model.description.task)
                # What is shipped was verified when it was packed; and warm-up requests take longer
                # to make and to replay than the first request takes without.
                options: dict[str, Any] = {
                    "verify": False,
                    "warmup": False,
                    "name": model.description.name,
                }
                remove_leftovers(self.directory / model.description.name)  # of a stopped server
                try:
                    run = RunDirectory.find(self.root, task.name, model.origin)
                    lifecycle.export(task, lifecycle.load(task, run), self.root, **options)
                except TextappsError as error:
                    failed += 1
                    console.say(f"error: {error}")
        if failed:
            raise TextappsError(
                f"{counted(failed, 'pretrained model')} could not be prepared for serving"
            )


def main(root: Path) -> int:
    """Writes the exports that are missing in a folder of the cache; returns the exit code."""
    console.set_up_logging()
    prepare_tensorflow()
    try:
        exports = PretrainedExports()
        exports.root, exports.directory = root, root / "exported"
        exports.write()
    except KeyboardInterrupt:
        return 130
    except Exception as error:
        line, code = describe(error)
        console.say(f"error: {line}; their exports are kept in the folder of {CACHE_VARIABLE}")
        return code
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
