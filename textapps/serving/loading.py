"""Loading SavedModels, with TensorFlow Text's operations where one needs them."""

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from textapps.serving.errors import ModelFailed, explain


def import_tensorflow() -> None:
    """Import TensorFlow, if nobody has, without Keras.

    It would import Keras wherever that is installed, in vain: SavedModels need none of it, and
    it takes time and memory. Keras can still be imported later.
    """
    if "tensorflow" in sys.modules or "keras" in sys.modules:
        return
    with absent("keras"):
        import tensorflow  # noqa: F401
    gc.freeze()  # modules stay: their objects need not be looked through for garbage


@contextmanager
def absent(*names: str) -> Iterator[None]:
    """Within it no module of these names can be imported that was not before."""
    hidden = [name for name in names if name not in sys.modules]
    sys.modules.update(dict.fromkeys(hidden))  # type: ignore[arg-type]
    try:
        yield
    finally:
        for name in hidden:
            del sys.modules[name]


def load_saved_model(directory: Path) -> Any:
    """The SavedModel in `directory`, of those in it the one tagged for serving.

    Raises ModelFailed where it needs TensorFlow Text, which is not installed, and otherwise what
    TensorFlow raises for a SavedModel that it cannot load.
    """
    try:
        return _load(directory)
    except Exception as error:
        # TensorFlow Text takes memory: it is loaded when a model turns out to need it.
        if "Op type not registered" not in str(error):
            raise
        if not load_text_operations():
            raise ModelFailed(
                f"install tensorflow-text, which this model may need: {explain(error)}"
            ) from error
        return _load(directory)


def _load(directory: Path) -> Any:
    import tensorflow as tf

    return tf.saved_model.load(str(directory), tags=["serve"])


@cache
def load_text_operations() -> bool:
    """Register TensorFlow Text's operations; False where it is not installed.

    The package itself is not imported: it would import Keras.
    """
    import tensorflow as tf

    package = find_spec("tensorflow_text")
    if package is None or package.origin is None:
        return False
    for library in sorted(Path(package.origin).parent.glob("python/ops/*.so")):
        tf.load_op_library(str(library))
    return True
