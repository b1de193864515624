"""TensorFlow Text's operations are loaded where a SavedModel needs them, without the package."""

from types import SimpleNamespace

import pytest
import tensorflow as tf

from tests.serving import models
from textapps.savedmodel import loading
from textapps.savedmodel.errors import ModelFailed
from textapps.savedmodel.loading import load_saved_model, load_text_operations


@pytest.fixture
def strange(tmp_path, built):
    """A SavedModel with an operation that is not TensorFlow's."""
    path = models.copy(built("lengths"), tmp_path / "m")
    graph = (path / "saved_model.pb").read_bytes()
    assert b"StringLength" in graph
    (path / "saved_model.pb").write_bytes(graph.replace(b"StringLength", b"StrangeThing"))
    load_text_operations.cache_clear()
    yield path
    load_text_operations.cache_clear()


def test_the_remedy_is_named_where_the_package_is_missing(strange, monkeypatch) -> None:
    monkeypatch.setattr(loading, "find_spec", lambda name: None)
    with pytest.raises(ModelFailed, match=r"install tensorflow-text.*'StrangeThing'"):
        load_saved_model(strange)


def test_operations_are_loaded_once_and_without_the_package(strange, monkeypatch, tmp_path) -> None:
    ops = tmp_path / "tensorflow_text" / "python" / "ops"
    ops.mkdir(parents=True)
    for name in ("b.so", "a.so", "a.py"):
        (ops / name).write_text("")
    found = SimpleNamespace(origin=str(tmp_path / "tensorflow_text" / "__init__.py"))
    libraries = []
    monkeypatch.setattr(loading, "find_spec", lambda name: found)
    monkeypatch.setattr(tf, "load_op_library", libraries.append)
    for _ in range(2):
        with pytest.raises(Exception, match="Op type not registered 'StrangeThing'"):
            load_saved_model(strange)
    assert libraries == [str(ops / "a.so"), str(ops / "b.so")]


def test_the_operations_are_where_they_are_looked_for() -> None:
    package = loading.find_spec("tensorflow_text")
    assert package is not None
    libraries = loading.Path(package.origin).parent.glob("python/ops/*.so")
    assert "_sentencepiece_tokenizer.so" in {path.name for path in libraries}


@pytest.mark.parametrize("allowed", [True, False])
def test_other_failures_do_not_load_them(tmp_path, strange, monkeypatch, allowed) -> None:
    monkeypatch.setattr(loading, "load_text_operations", lambda: 1 / 0)
    with pytest.raises(OSError, match="does not exist"):
        load_saved_model(tmp_path / "none", allowed)
    if not allowed:
        with pytest.raises(Exception, match="Op type not registered 'StrangeThing'"):
            load_saved_model(strange, allowed)
