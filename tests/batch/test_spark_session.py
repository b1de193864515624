"""What is said where Spark cannot start or a worker fails; needs neither Java nor pyspark."""

from pathlib import Path

import pytest

from textapps.batch.spark_errors import explained
from textapps.batch.spark_session import check_java, check_pandas
from textapps.core.errors import ExportError, TextappsError


def java(folder: Path, said: str) -> Path:
    """A program that says this about its version."""
    program = folder / "bin" / "java"
    program.parent.mkdir(parents=True)
    program.write_text(f"#!/bin/sh\necho '{said}' >&2\n")
    program.chmod(0o755)
    return program


def test_a_java_that_spark_runs_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    java(tmp_path, 'openjdk version "21.0.2" 2024-01-16')
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    check_java()


def test_no_java(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(TextappsError, match="Java, and none is installed: install Java 17 or"):
        check_java()
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    with pytest.raises(TextappsError, match=f"JAVA_HOME={tmp_path} has none: install Java 17 or"):
        check_java()


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ('java version "1.8.0_392"', "is Java 8: install Java 17 or newer .*openjdk-17"),
        ('openjdk version "11.0.4"', "is Java 11: install Java 17"),
        ("cannot load libjvm.so", "does not run: install Java 17"),
    ],
)
def test_a_java_that_is_too_old(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: str, message: str
) -> None:
    program = java(tmp_path, said)
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", str(program.parent))
    with pytest.raises(TextappsError, match=f"needs Java 17, and {program} {message}"):
        check_java()


def test_a_pandas_that_pyspark_does_not_take(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("pyspark", reason="needs the extra [spark]")
    import pandas

    check_pandas()
    for version, reason in (("1.5.3", r"your version is 1\.5\.3"), ("3.0.1", "not yet fully")):
        monkeypatch.setattr(pandas, "__version__", version)
        with pytest.raises(TextappsError, match=rf"{reason}.*: pip install 'textapps\[spark\]'$"):
            check_pandas()


def test_the_error_of_a_worker_is_raised_again() -> None:
    found = explained(
        ValueError(
            "An exception was thrown from the Python worker:\nTraceback (most recent call last):\n"
            '  File "model.py", line 57, in __init__\n'
            "    raise ExportError(...) from error\n"
            "textapps.core.errors.ExportError: cannot load the SavedModel in /m: install "
            "tensorflow-text, which this model may need: Op type not registered\n\n\tat org.apache"
        )
    )
    assert isinstance(found, ExportError)
    assert str(found) == (
        "cannot load the SavedModel in /m: install tensorflow-text, which this model may need: Op "
        "type not registered"
    )
    assert explained(found) is found


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ("Job aborted\njava.lang.OutOfMemoryError: Java heap space", "ran out of memory or was"),
        ("Python worker exited unexpectedly (crashed)", "ran out of memory or was killed"),
        ("ExecutorLostFailure (executor 0 exited, exit code 137)", "ran out of memory or was"),
        ("ModuleNotFoundError: No module named 'textapps'", "has no textapps: set PYSPARK_PYTHON"),
        ("FileNotFoundError: [Errno 2] No such file: '/in/a.csv'", "does not see /in/a.csv"),
        ("[INTERNAL_ERROR] Something broke.\n\tat org", "Spark failed: Something broke"),
        ("", "Spark failed: ValueError"),
    ],
)
def test_what_spark_says_in_a_line(said: str, message: str) -> None:
    found = explained(ValueError(said))
    assert message in str(found)
    assert "\n" not in str(found)


def test_why_spark_did_not_start() -> None:
    log = "WARN Utils: …\nError: Unrecognized option: --nonsense\n\nUsage: spark-submit …\n"
    found = explained(RuntimeError("[JAVA_GATEWAY_EXITED] Java gateway process exited"), log)
    assert str(found) == "Spark did not start: Unrecognized option: --nonsense"
    log = "ERROR StandaloneSchedulerBackend: All masters are unresponsive! Giving up.\n"
    assert "no master answers" in str(explained(RuntimeError("stopped SparkContext"), log))
