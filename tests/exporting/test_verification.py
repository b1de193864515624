import errno
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import textapps
from textapps.core.errors import ExportError
from textapps.exporting import verification, verify_child
from textapps.exporting.verification import Candidate, Case, verify, verify_all
from textapps.exporting.verify_child import KERAS, Guard


def test_a_case_survives_json():
    case = Case("s", {"text": ["a\0", "ß"]}, {"scores": np.float32([[0.1], [np.inf]])})
    again = Case.from_json(case.to_json())
    assert again.signature == "s"
    assert again.inputs["text"].tolist() == [b"a\0", "ß".encode()]
    assert np.array_equal(again.outputs["scores"], case.outputs["scores"])


@pytest.mark.parametrize(
    ("actual", "expected", "same"),
    [
        ([1.0, 100.0], [1.0, 100.0009], True),  # relative beyond 1
        ([1.0, 100.0], [1.0, 100.0011], False),
        ([0.001], [0.001009], True),  # absolute below 1
        ([0.001], [0.001011], False),
        ([np.inf], [np.inf], True),
        ([1.0], [np.inf], False),
        ([np.nan], [np.nan], False),
        (["ab"], [b"ab"], True),
        (["ab"], ["ac"], False),
        ([2**53], [2**53 + 1], False),
        ([[1.0]], [1.0], False),
    ],
)
def test_answers_are_compared_by_kind(actual, expected, same):
    problem = verification._difference({"y": actual}, {"y": expected}, tolerance=1e-5)
    assert (problem is None) == same
    assert same or problem.startswith("'y'")


def test_a_case_of_one_row_cannot_show_that_batching_is_sound(exported, tiny):
    text = Case("serving_default", {"text": ["a"]}, {})
    with pytest.raises(ValueError, match="two or more rows"):
        verify(exported, [text, tiny.cases[1]])


@pytest.mark.slow
@pytest.mark.usefixtures("python_anew")
def test_damage_and_foreign_modules_are_told_of_each_export(exported, tiny, tmp_path, monkeypatch):
    """The isolation is real: without it TensorFlow imports Keras by itself, and that is seen."""
    shutil.copytree(exported, tmp_path / "m")
    data = tmp_path / "m" / "variables" / "variables.data-00000-of-00001"
    data.write_bytes(data.read_bytes()[:100])
    script = Path(verify_child.__file__).read_text(encoding="utf-8")
    for line, instead in (
        ("    sys.modules.update(dict.fromkeys(KERAS))", "    pass"),
        ("    sys.meta_path.insert(0, Guard())", "    pass"),
        ("    import tensorflow", "    import textapps.training.config, tensorflow"),
    ):
        assert script.count(line) == 1
        script = script.replace(line, instead)
    (tmp_path / "child.py").write_text(script, encoding="utf-8")
    monkeypatch.setattr(verify_child, "__file__", str(tmp_path / "child.py"))
    with pytest.raises(ExportError) as failure:
        verify_all([Candidate(path, tiny.cases) for path in (tmp_path / "m", exported)])
    said = "does not verify: isolation: imported keras, textapps.training"
    damaged, sound = str(failure.value).split(f"; the export in {exported} ")
    assert damaged.startswith(f"the export in {tmp_path / 'm'} {said}; loading: ")
    assert sound == said
    assert "\n" not in damaged


@pytest.mark.exhaustive
def test_the_child_finds_tensorflow_beside_textapps(tmp_path):
    """There is no other place here, as for who has both by `pip install --user`."""
    root = tmp_path / "lib"
    root.mkdir()
    for place in [*Path(np.__file__).parents[1].iterdir(), Path(textapps.__file__).parent]:
        if place.name not in ("__pycache__", *KERAS):
            (root / place.name).symlink_to(place)
    (tmp_path / "questions").write_text("[]")
    command = [sys.executable, "-I", "-S", verify_child.__file__, root]
    subprocess.run([*command, tmp_path / "questions", tmp_path / "answers"], check=True)
    assert json.loads((tmp_path / "answers").read_bytes()) == {"imported": [], "findings": []}


@pytest.mark.parametrize(
    "module", ["keras", "keras.layers", "tf_keras", "textapps.tasks", "textapps.training.fit"]
)
def test_what_the_child_may_not_import(module):
    with pytest.raises(ModuleNotFoundError, match=module):
        Guard().find_spec(module, None)


@pytest.mark.parametrize("module", ["tensorflow.keras", "textapps", "textapps.savedmodel.graph"])
def test_what_the_child_may_import(module):
    assert Guard().find_spec(module, None) is None


def test_a_child_that_dies_is_reported(exported, tiny, tmp_path, monkeypatch):
    (tmp_path / "child.py").write_text("import os, sys\nsys.exit('out of luck')")
    monkeypatch.setattr(verify_child, "__file__", str(tmp_path / "child.py"))
    with pytest.raises(ExportError, match="ended with code 1: out of luck"):
        verify(exported, tiny.cases)


def test_a_full_temporary_folder_is_named(exported, tiny, tmp_path, monkeypatch):
    def full(*_, **__):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Path, "write_text", full)
    monkeypatch.setattr(verification.tempfile, "tempdir", str(tmp_path))
    with pytest.raises(ExportError, match=rf"by way of {tmp_path} \(TMPDIR .*\): No space left"):
        verify(exported, tiny.cases)


def test_the_child_runs_on_the_cpu_and_imports_nothing_of_ours(
    exported, tiny, tmp_path, monkeypatch
):
    lines = (
        "import os, sys\nsys.exit(f\"{os.environ['CUDA_VISIBLE_DEVICES']!r} {sys.flags.isolated}\")"
    )
    (tmp_path / "child.py").write_text(lines)
    monkeypatch.setattr(verify_child, "__file__", str(tmp_path / "child.py"))
    with pytest.raises(ExportError, match=r"'' 1$"):
        verify(exported, tiny.cases)
