"""Commands with models that come with the package."""

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from textapps.cache.place import cache_dir
from textapps.cli import pretrained_exports
from textapps.cli.pretrained_exports import PretrainedExports
from textapps.core.errors import RunError, TextappsError
from textapps.core.files import ASIDE
from textapps.pretrained.model import PretrainedModel

Cli = Callable[..., Result]
ROOT = Path(pretrained_exports.__file__).parents[2]


@pytest.fixture
def model(
    packed: Callable[[str], PretrainedModel], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> PretrainedModel:
    """A classifier, the only model of the package, and a folder without runs."""
    found = packed("sentiment")
    monkeypatch.setenv("TEXTAPPS_PRETRAINED_DIR", str(found.path.parent))
    monkeypatch.setenv("TEXTAPPS_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    return found


def test_the_list(cli: Cli, model: PretrainedModel) -> None:
    result = cli("pretrained")
    assert result.exit_code == 0
    accuracy = model.description.figures.metrics["accuracy"]
    size = f"{model.bytes / 1e6:.1f}"
    for part in ("imdb", "sentiment", "größer", "none", size, f"accuracy {accuracy:.4f}"):
        assert part in result.stdout
    (row,) = map(json.loads, cli("pretrained", "--json").stdout.splitlines())
    assert (row["name"], row["run"], row["bytes"]) == ("imdb", "pretrained:imdb", model.bytes)
    assert row["metrics"]["accuracy"] == accuracy
    assert row["terms"] == "none"


def test_a_package_without_models(cli: Cli) -> None:
    result = cli("pretrained")
    assert (result.exit_code, result.stdout) == (0, "")
    assert "no pretrained models" in result.stderr


def test_the_card(cli: Cli, model: PretrainedModel) -> None:
    assert cli("pretrained", "show", "imdb").stdout == model.card
    result = cli("pretrained", "show", "imbd")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.endswith("choose from imdb; did you mean 'imdb'?\n")
    assert cli("pretrained", "--json", "show", "imdb").exit_code == 2


def test_predict_answers_in_an_empty_folder(cli: Cli, model: PretrainedModel) -> None:
    result = cli("sentiment", "predict", "great", "awful")
    assert result.exit_code == 0, result.stderr
    labels = [line.partition("\t")[0] for line in result.stdout.splitlines()]
    assert labels == _labels(model, ["great", "awful"])
    assert "pretrained:imdb answers" in result.stderr
    assert "textapps sentiment train" in result.stderr
    assert "answers" not in cli("sentiment", "predict", "great", "--quiet").stderr
    named = cli("sentiment", "predict", "great", "awful", "--run", "pretrained:imdb")
    assert (named.stdout, named.stderr) == (result.stdout, "")


def _labels(model: PretrainedModel, texts: list[str]) -> list[str]:
    import textapps

    answers = textapps.load("sentiment", model.origin).predict(texts)
    return [answer.label for answer in answers]


def test_evaluate_says_where_the_figures_are(
    cli: Cli, model: PretrainedModel, toy_data: Callable[[str], Path]
) -> None:
    data = str(toy_data("sentiment"))
    result = cli("sentiment", "evaluate", "--data", data, "--split", "test")
    assert result.exit_code == 0, result.stderr
    kept = Path("models/sentiment/pretrained-imdb")
    assert f"the figures of pretrained:imdb are kept in {kept}" in result.stderr
    assert list(kept.glob("evaluations/*.json"))
    without = cli("sentiment", "evaluate")
    assert without.exit_code == 3
    assert "name some by --data" in without.stderr


def test_train_resumes_none(cli: Cli, model: PretrainedModel) -> None:
    result = cli("sentiment", "train", "--resume", "pretrained:imdb")
    assert result.exit_code == 1
    assert "--init-from pretrained:imdb" in result.stderr


@pytest.mark.parametrize("named", [("--delete",), ("--note", "x", "--run")])
def test_it_is_neither_deleted_nor_annotated(
    cli: Cli, model: PretrainedModel, named: tuple[str, ...]
) -> None:
    before = sorted(model.path.rglob("*"))
    result = cli("runs", *named, "pretrained:imdb")
    assert result.exit_code == 1
    assert result.stderr.endswith("pretrained:imdb comes with the package and stays as it is\n")
    assert "did you mean 'imdb'" in cli("runs", *named, "pretrained:imbd").stderr
    assert sorted(model.path.rglob("*")) == before


def test_serve_takes_a_folder_or_the_models_of_the_package(
    cli: Cli, model: PretrainedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    for words in ((), ("models/exported", "--pretrained")):
        result = cli("serve", *words)
        assert result.exit_code == 2
        assert "give either DIR, such as models/exported, or --pretrained" in result.stderr
    from textapps.serving import server

    served = []
    monkeypatch.setattr(server, "serve", lambda *given: served.append(given[0]) or 15)
    monkeypatch.setattr("os._exit", lambda code: None)
    monkeypatch.setattr(PretrainedExports, "begin", lambda self: None)
    assert cli("serve", "--pretrained").exit_code == 0
    assert served == [PretrainedExports().directory]


@pytest.mark.slow
def test_exports_are_made_once(model: PretrainedModel) -> None:
    exports = PretrainedExports()
    assert exports.directory.is_relative_to(cache_dir())
    assert [each.origin for each in exports.missing()] == ["pretrained:imdb"]
    left = exports.directory / "imdb" / f"{ASIDE}1"  # of a server that was stopped meanwhile
    left.mkdir(parents=True)
    assert pretrained_exports.main(exports.root) == 0
    assert exports.missing() == []
    assert not left.exists()
    assert exports.begin() is None
    made = {path: path.stat().st_mtime_ns for path in exports.directory.glob("imdb/1/*")}
    assert pretrained_exports.main(exports.root) == 0
    assert {path: path.stat().st_mtime_ns for path in exports.directory.glob("imdb/*/*")} == made


def test_the_server_begins_with_the_first_export(
    model: PretrainedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    exports = PretrainedExports()

    class Process:
        def __init__(self, command: list[str], env: dict[str, str]) -> None:
            module = ["-m", "textapps.cli.pretrained_exports", str(exports.root)]
            assert command[1:] == ["-P", *module]  # without the current folder
            assert env["PYTHONPATH"].split(os.pathsep)[0] == str(ROOT)

        def poll(self) -> None:
            written = exports.directory / "imdb" / "1" / "saved_model.pb"
            written.parent.mkdir(parents=True)
            written.touch()

    monkeypatch.setattr(subprocess, "Popen", Process)
    assert isinstance(exports.begin(), Process)


def test_no_export_can_be_made(
    cli: Cli, model: PretrainedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Process:
        def __init__(self, command: list[str], env: dict[str, str]) -> None:
            pass

        def poll(self) -> int:
            return 1

    monkeypatch.setattr(subprocess, "Popen", Process)
    with pytest.raises(TextappsError, match="no pretrained model could be prepared"):
        PretrainedExports().begin()


def test_a_cache_without_room(
    model: PretrainedModel, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from textapps.exporting import export

    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(export, "write_saved_model", full)
    exports = PretrainedExports()
    assert pretrained_exports.main(exports.root) == 1
    said = capsys.readouterr().err
    assert "error: " in said
    assert "No space left on device" in said
    assert "TEXTAPPS_CACHE_DIR" in said
    assert len(exports.missing()) == 1


def test_a_cache_that_cannot_be_written(
    model: PretrainedModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("TEXTAPPS_CACHE_DIR", str(tmp_path / "file"))
    with pytest.raises(TextappsError, match=r"cannot write .*: name another folder by TEXTAPPS_CA"):
        PretrainedExports()


def test_other_models_have_another_cache(
    model: PretrainedModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = PretrainedExports().root
    path = shutil.copytree(model.path, tmp_path / "store" / "imdb")
    monkeypatch.setenv("TEXTAPPS_PRETRAINED_DIR", str(path.parent))
    assert PretrainedExports().root == before
    record = path / "pretrained.json"
    record.write_text(record.read_text().replace("toy data", "other data"))
    assert PretrainedExports().root != before
    record.unlink()
    with pytest.raises((RunError, TextappsError), match="no pretrained models to serve"):
        PretrainedExports()


def test_the_folder_of_the_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("TEXTAPPS_CACHE_DIR", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    for xdg, expected in (
        ("", tmp_path / ".cache/textapps"),
        ("relative", tmp_path / ".cache/textapps"),
        (str(tmp_path / "xdg"), tmp_path / "xdg/textapps"),
    ):
        monkeypatch.setenv("XDG_CACHE_HOME", xdg)
        assert cache_dir() == expected
    monkeypatch.setenv("TEXTAPPS_CACHE_DIR", "~/mine")
    assert cache_dir() == tmp_path / "mine"
