"""Loading SavedModels, with TensorFlow Text's operations where one needs them."""

import gc
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from threading import Lock
from typing import Any

from textapps.savedmodel.errors import ModelFailed, explain
from textapps.savedmodel.references import copied_outputs

_TEXT_OPERATIONS = Lock()


def import_tensorflow(intra_op_threads: int = 0) -> None:
    """Imports TensorFlow, unless it is there already, without Keras.

    TensorFlow imports Keras wherever that is installed, which takes time and memory, and a
    SavedModel needs none of it. Keras can still be imported later.

    Args:
        intra_op_threads: how many threads may share an operation; 0 leaves it to TensorFlow, as
            does a process that has imported it.
    """
    if "tensorflow" in sys.modules or "keras" in sys.modules:
        return
    if intra_op_threads:
        os.environ["TF_NUM_INTRAOP_THREADS"] = str(intra_op_threads)
    with absent("keras"):
        import tensorflow  # noqa: F401
    gc.freeze()  # modules stay: the collector need not look through their objects


@contextmanager
def absent(*names: str) -> Iterator[None]:
    """Within it no module of these names can be imported, unless it was imported before."""
    hidden = [name for name in names if name not in sys.modules]
    sys.modules.update(dict.fromkeys(hidden))  # type: ignore[arg-type]
    try:
        yield
    finally:
        for name in hidden:
            del sys.modules[name]


def load_saved_model(directory: Path, text_operations: bool = True) -> Any:
    """The SavedModel in `directory`: its graph that is tagged for serving.

    TensorFlow Text's operations are loaded if it turns out to need some and may have them: they
    take 120 MB. A model written by TensorFlow 1 may give variables as outputs, which no function
    can: their values are copied.

    Raises ModelFailed where it needs TensorFlow Text, which is not installed, and otherwise what
    TensorFlow raises for a SavedModel that it cannot load.
    """
    try:
        return _load(directory)
    except Exception as error:
        if "has a reference type" in str(error):
            with copied_outputs(directory) as changed:
                return _load(changed)
        if not text_operations or "Op type not registered" not in str(error):
            raise
        with _TEXT_OPERATIONS:  # models may be loaded in several threads
            registered = load_text_operations()
        if not registered:
            raise ModelFailed(
                f"install tensorflow-text, which this model may need: {explain(error)}"
            ) from error
        return _load(directory)


def _load(directory: Path) -> Any:
    import tensorflow as tf

    return tf.saved_model.load(str(directory), tags=["serve"])


@cache
def load_text_operations() -> bool:
    """Registers TensorFlow Text's operations; False where it is not installed.

    The package itself is not imported, because it would import Keras. TensorFlow Serving has
    these operations in the same way: linked, with no Python around them.
    """
    import tensorflow as tf

    package = find_spec("tensorflow_text")
    if package is None or package.origin is None:
        return False
    # Where the wheels keep them: there is no public function that says so.
    for library in sorted(Path(package.origin).parent.glob("python/ops/*.so")):
        tf.load_op_library(str(library))
    return True
