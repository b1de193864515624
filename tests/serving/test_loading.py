"""What a server imports: no Keras, and TensorFlow Text's operations where a model needs them."""

import subprocess
import sys
from types import SimpleNamespace

import pytest
import tensorflow as tf

from tests.serving import models
from textapps.serving import loading
from textapps.serving.repository import Repository


@pytest.fixture
def message(directory, built):
    """Serve a model whose operation is not TensorFlow's; gives what the status says of it."""
    path = models.copy(built("lengths"), directory / "m" / "1")
    graph = (path / "saved_model.pb").read_bytes()
    assert b"StringLength" in graph
    (path / "saved_model.pb").write_bytes(graph.replace(b"StringLength", b"StrangeThing"))
    loading.load_text_operations.cache_clear()

    def serve() -> str:
        repository = Repository(directory)
        repository.poll()
        return repository.statuses("m")[0].message

    yield serve
    loading.load_text_operations.cache_clear()


def test_the_remedy_is_named_where_the_package_is_missing(message, monkeypatch) -> None:
    monkeypatch.setattr(loading, "find_spec", lambda name: None)
    said = message()
    assert "'StrangeThing'" in said
    assert "install tensorflow-text" in said


def test_operations_are_loaded_once_and_without_the_package(message, monkeypatch, tmp_path) -> None:
    ops = tmp_path / "tensorflow_text" / "python" / "ops"
    ops.mkdir(parents=True)
    for name in ("b.so", "a.so", "a.py"):
        (ops / name).write_text("")
    found = SimpleNamespace(origin=str(tmp_path / "tensorflow_text" / "__init__.py"))
    libraries = []
    monkeypatch.setattr(loading, "find_spec", lambda name: found)
    monkeypatch.setattr(tf, "load_op_library", libraries.append)
    assert message().startswith("Op type not registered 'StrangeThing'")
    assert message().startswith("Op type not registered 'StrangeThing'")
    assert libraries == [str(ops / "a.so"), str(ops / "b.so")]


def test_other_failures_do_not_load_them(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(loading, "load_text_operations", lambda: 1 / 0)
    with pytest.raises(OSError, match="does not exist"):
        loading.load_saved_model(tmp_path)


def test_a_server_has_no_keras(place, directory) -> None:
    place("m", 1, "classifier")
    script = f"""
import asyncio, sys, time
import numpy as np
from textapps.serving.repository import Repository
assert "tensorflow" not in sys.modules
repository = Repository({str(directory)!r})
repository.start()
while not repository.ready:
    time.sleep(0.01)
text = np.array(["good"], dtype=object)
answer = asyncio.run(repository.find("m").predict("serving_default", {{"text": text}}))
print(answer["label"][0].decode(), "keras" in sys.modules)
repository.stop()
import keras
print(keras.ops.sqrt(4.0).numpy())
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.stdout.split() == ["good", "False", "2.0"], done.stderr
