"""Tests of `textapps export verify`."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from textapps.savedmodel.manifest import MANIFEST

Cli = Callable[..., Result]
GOLDEN = Path(__file__).parent.parent / "golden"


@pytest.fixture
def exported(tmp_path: Path) -> Path:
    """A directory of two exports."""
    for version in ("1", "2"):
        shutil.copytree(GOLDEN / "sentiment" / "1", tmp_path / "exported" / "sentiment" / version)
    return tmp_path / "exported"


def test_good_exports(cli: Cli, exported: Path) -> None:
    one = exported / "sentiment" / "1"
    said = f"{one}: 5 files are as they were exported\n"
    result = cli("export", "verify", str(one))
    assert (result.exit_code, result.stdout) == (0, said)
    result = cli("export", "verify", str(exported))
    assert result.stdout == said + said.replace("/1:", "/2:")


@pytest.mark.parametrize("changed", ["saved_model.pb", "variables/variables.index"])
def test_a_changed_file(cli: Cli, exported: Path, changed: str) -> None:
    with (exported / "sentiment" / "2" / changed).open("ab") as file:
        file.write(b"x")
    result = cli("export", "verify", str(exported))
    assert result.exit_code == 3
    assert f"sentiment/2/{changed} has changed since it was exported" in result.stderr
    assert result.stderr.count("\n") == 1
    assert str(exported / "sentiment" / "1") in result.stdout  # the good one is reported too


def test_added_files_are_named(cli: Cli, exported: Path) -> None:
    one = exported / "sentiment" / "1"
    for number in range(6):
        (one / "variables" / f"{number}.txt").write_text("x")
    result = cli("export", "verify", str(exported))
    assert result.exit_code == 0
    names = ", ".join(f"variables/{number}.txt" for number in range(5))
    assert result.stderr == f"warning: {one}: not of the export: {names}, and 1 more\n"
    (one / "variables" / "0.txt").unlink()
    assert cli("export", "verify", str(one)).stderr.endswith("4.txt, variables/5.txt\n")


def test_a_missing_file(cli: Cli, exported: Path) -> None:
    (exported / "sentiment" / "1" / "saved_model.pb").unlink()
    result = cli("export", "verify", str(exported / "sentiment" / "1"))
    assert result.exit_code == 3
    assert "lacks saved_model.pb" in result.stderr


def test_one_without_a_manifest_is_told(cli: Cli, exported: Path) -> None:
    (exported / "sentiment" / "2" / MANIFEST).unlink()
    result = cli("export", "verify", str(exported))
    assert result.exit_code == 3
    assert f"sentiment/2: there is no {MANIFEST}, so its files cannot be compared" in result.stderr
    assert str(exported / "sentiment" / "1") in result.stdout


@pytest.mark.parametrize("name", ["nowhere", "empty"])
def test_no_export(cli: Cli, tmp_path: Path, name: str) -> None:
    (tmp_path / "empty").mkdir()
    result = cli("export", "verify", str(tmp_path / name))
    assert result.exit_code == 3
    assert result.stderr.startswith(f"error: there is no export of textapps in {tmp_path / name}")


def test_exports_in_the_making_are_passed_over(cli: Cli, exported: Path) -> None:
    aside = exported / "sentiment" / ".aside-1"
    (exported / "sentiment" / "2").rename(aside)
    (aside / MANIFEST).write_text("{")
    assert cli("export", "verify", str(exported)).exit_code == 0
