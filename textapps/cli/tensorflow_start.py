"""Keeps TensorFlow's start-up noise off stderr, whoever imports it first."""

import importlib.util
import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

# Hides the C++ log lines of level error too: on a machine without a GPU they say so at the first
# operation, and whatever really fails comes as an exception.
LOG_LEVEL = "3"


def silence_tensorflow() -> None:
    """Prepares this process for a quiet first `import tensorflow`; imports nothing itself.

    A TF_CPP_MIN_LOG_LEVEL or TEXTAPPS_DEBUG of the user's means that they want to see it all.
    """
    os.environ["KERAS_BACKEND"] = "tensorflow"
    wanted = os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", LOG_LEVEL)
    if wanted == LOG_LEVEL and not os.environ.get("TEXTAPPS_DEBUG"):
        sys.meta_path.insert(0, _QuietTensorFlow())


class _QuietTensorFlow(MetaPathFinder):
    """Finds tensorflow as ever, but has stderr aside while its body runs.

    Two of its libraries log to file descriptor 2 before any log level is read.
    """

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if name != "tensorflow":
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(name)
        if spec is not None and spec.loader is not None:
            execute = spec.loader.exec_module

            def quietly(module: ModuleType) -> None:
                with stderr_aside():
                    execute(module)

            spec.loader.exec_module = quietly  # type: ignore[method-assign]
        return spec


@contextmanager
def stderr_aside() -> Iterator[None]:
    """File descriptor 2 goes into a file, which is shown only if the block fails."""
    sys.stderr.flush()
    with tempfile.TemporaryFile() as aside:
        kept = os.dup(2)
        os.dup2(aside.fileno(), 2)
        try:
            yield
        except BaseException:
            os.dup2(kept, 2)
            aside.seek(0)
            os.write(2, aside.read())
            raise
        finally:
            os.dup2(kept, 2)
            os.close(kept)
