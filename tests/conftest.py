"""What every test has: few threads, no configuration from outside, the command line."""

import gc
import logging
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

# Read at the first import of TensorFlow and of matplotlib, so set before any test module is.
os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ["MPLBACKEND"] = "Agg"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("TF_NUM_INTRAOP_THREADS", "2")
os.environ.setdefault("TF_NUM_INTEROP_THREADS", "2")

import pytest
from click.testing import CliRunner, Result
from hypothesis import settings

from tests import processes

ROOT = Path(__file__).parent.parent
pytest_plugins = ("tests.chromium", "tests.durations", "tests.tasks.runs")

# Tracing makes many objects that stay; looking among them for what is not used any more costs time.
gc.set_threshold(50_000, 20, 20)
# It warns of functions that it traces often by the addresses of objects, so at random.
logging.getLogger("tensorflow").setLevel(logging.ERROR)


def pytest_collection_finish(session: pytest.Session) -> None:
    gc.freeze()  # modules stay, so no collection needs to look through them again
    # To optimise a graph takes longer than to run it once. Processes that tests start anew do it,
    # and so do this one and its forks where the exhaustive tests run too.
    if "not exhaustive" in session.config.option.markexpr:
        processes.OPTIONS.append("unoptimized")
        if "tensorflow" in sys.modules:
            sys.modules["tensorflow"].config.optimizer.set_experimental_options(
                {"disable_meta_optimizer": True}
            )


@pytest.fixture(autouse=True, scope="module")
def _what_a_module_leaves_is_not_looked_through_again() -> Iterator[None]:
    """Later collections would look through all graphs that earlier modules traced: minutes."""
    yield
    gc.collect()
    gc.freeze()


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish() -> None:
    gc.collect()  # so that what was never closed is reported
    gc.freeze()  # so that pytest's own five collections are quick


# Random cases would fail other people's changes; `--hypothesis-profile=explore` looks for new ones.
settings.register_profile("steady", deadline=None, derandomize=True, max_examples=40)
settings.register_profile("explore", deadline=None, max_examples=500)
settings.load_profile("steady")


@pytest.fixture(autouse=True)
def _clean_surroundings(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No test sees the developer's configuration, nor the log settings that a command left."""
    for name in list(os.environ):
        if name.startswith("TEXTAPPS_") and name != "TEXTAPPS_SHARED_DATA":
            monkeypatch.delenv(name)
    # The models of the package would answer where a test has no run.
    monkeypatch.setenv("TEXTAPPS_PRETRAINED_DIR", str(ROOT / "no pretrained models"))
    logger = logging.getLogger("textapps")
    before = (logger.handlers, logger.propagate, logger.level)
    yield
    logger.handlers, logger.propagate, logger.level = before
    os.environ.pop("TEXTAPPS_DEBUG", None)  # a --debug in this process sets it


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real data sets: TEXTAPPS_SHARED_DATA, else ../shared/data."""
    path = Path(os.environ.get("TEXTAPPS_SHARED_DATA", ROOT.parent / "shared" / "data"))
    if not path.is_dir():
        pytest.skip(f"needs real data in {path}; TEXTAPPS_SHARED_DATA names another folder")
    return path


@pytest.fixture
def cli() -> Callable[..., Result]:
    """`cli("runs", "--json")` runs a command in this process; stdout and stderr are apart."""

    def run(*arguments: str, input: str | bytes | None = None) -> Result:
        from textapps.cli.main import application

        return CliRunner().invoke(application, arguments, input=input)

    return run


@pytest.fixture(autouse=True, scope="session")
def _files_outlive_no_power_failure() -> Iterator[None]:
    """Thousands of small files are written, and on some machines each would wait for the disk."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda descriptor: None)
        yield


@pytest.fixture(autouse=True, scope="session")
def _exports_are_verified_by_forks() -> Iterator[None]:
    """A fork verifies exports, unless a test uses `python_anew`."""
    from textapps.exporting import verification

    class ForkedPython:
        @property
        def executable(self) -> str:
            return str(processes.server().python)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(verification, "sys", ForkedPython())
        yield


@pytest.fixture
def python_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """Exports are verified as they are for users, by a process that imports TensorFlow itself."""
    from textapps.exporting import verification

    monkeypatch.setattr(verification, "sys", sys)


@pytest.fixture
def textapps(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """`textapps("runs")` runs a command in a process of its own, in the test's folder."""

    def run(
        *arguments: str, input: str | None = None, timeout: float = 120, **environ: str
    ) -> subprocess.CompletedProcess[str]:
        return processes.run(
            [sys.executable, "-m", "textapps", *arguments],
            input=input,
            capture_output=True,
            text=True,
            encoding="utf-8",
            cwd=tmp_path,
            timeout=timeout,
            env={**os.environ, **environ},
        )

    return run
