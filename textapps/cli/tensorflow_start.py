"""Makes TensorFlow start quietly and fast in a command, whichever module imports it first."""

import gc
import importlib.util
import os
import sys
from collections.abc import Sequence
from contextlib import nullcontext
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

from textapps.core.quiet import stderr_aside
from textapps.savedmodel.loading import absent

# Hides the C++ log lines of level error too: on a machine without a GPU the first operation logs
# that there is none, and real failures raise exceptions.
LOG_LEVEL = "3"

# Tasks whose predictors compute several batches at a time, each in a thread.
BATCHES_IN_THREADS = frozenset({"translate"})

# TensorFlow and Keras import them, where they are installed, for features that no command uses.
# Later imports of them work as usual.
UNUSED = ("PIL", "h5py", "matplotlib", "pandas", "psutil", "scipy", "sklearn")


def prepare_tensorflow() -> None:
    """Makes this process's first `import tensorflow` (or keras) quiet and fast; imports neither.

    If the user has set TF_CPP_MIN_LOG_LEVEL or TEXTAPPS_DEBUG, everything is shown.
    """
    os.environ["KERAS_BACKEND"] = "tensorflow"
    wanted = os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", LOG_LEVEL)
    quiet = wanted == LOG_LEVEL and not os.environ.get("TEXTAPPS_DEBUG")
    sys.meta_path.insert(0, _TensorFlowFinder(quiet))


def compute_in_one_thread() -> None:
    """Makes TensorFlow run each operation in one thread, unless TF_NUM_INTRAOP_THREADS is set.

    That is faster for few inputs: to hand a part of a small operation to another thread takes
    longer than the whole operation. It is faster too where each core has a batch of its own.
    """
    os.environ.setdefault("TF_NUM_INTRAOP_THREADS", "1")


class _TensorFlowFinder(MetaPathFinder):
    """Finds tensorflow or keras, whichever is imported first, and changes how it starts.

    Meanwhile stderr is redirected: two of TensorFlow's libraries log to file descriptor 2 before
    they read any log level.
    """

    def __init__(self, quiet: bool) -> None:
        self._quiet = quiet

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if name not in ("tensorflow", "keras"):
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(name)
        sys.meta_path.insert(0, self)  # perhaps only to see whether it is installed
        if spec is not None and spec.loader is not None:
            execute = spec.loader.exec_module

            def start(module: ModuleType) -> None:
                sys.meta_path.remove(self)
                with stderr_aside() if self._quiet else nullcontext(), absent(*UNUSED):
                    execute(module)
                # Modules stay until the end: the garbage collector need not look through their
                # objects again and again, and once more at exit.
                gc.freeze()

            spec.loader.exec_module = start  # type: ignore[method-assign]
        return spec
