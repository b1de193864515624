"""The examples of docs/serve.md run, and what it says of options and metrics is so."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.serving import models
from tests.serving.asking import Built, repository_of
from tests.serving.browser import ServedPage
from tests.serving.grpc.asking import Served
from textapps.cli.commands.serve import serve_command

ROOT = Path(__file__).parent.parent.parent
PAGE = (ROOT / "docs" / "serve.md").read_text(encoding="utf-8")
BLOCKS = re.compile(r"(<!-- not run[^\n]*-->\n)?^```(bash|python)\n(.*?)^```$", re.M | re.S)
CURL = [
    line
    for mark, language, text in BLOCKS.findall(PAGE)
    if language == "bash" and not mark
    for line in text.splitlines()
]
PYTHON = [text for _, language, text in BLOCKS.findall(PAGE) if language == "python"]


@pytest.fixture(scope="module")
def server(built: Built, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedPage]:
    directory = tmp_path_factory.mktemp("served") / "exported"
    models.copy(ROOT / "tests" / "golden" / "sentiment" / "1", directory / "sentiment" / "1")
    with ServedPage(directory, built, {"writer": "generator"}) as server:
        yield server


@pytest.fixture(scope="module")
def grpc_port(built: Built, tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    repository = repository_of(tmp_path_factory.mktemp("grpc"), built, sentiment="classifier")
    with Served(repository) as served:
        yield served.port


def test_the_examples_are_found() -> None:
    assert (len(CURL), len(PYTHON)) == (6, 3)


@pytest.mark.parametrize("line", CURL)
def test_curl(server: ServedPage, line: str) -> None:
    assert line.startswith("curl ")
    line = line.replace("curl ", "curl --fail --silent --show-error ", 1)
    line = line.replace("localhost:8501", server.url)
    result = subprocess.run(["bash", "-c", line], capture_output=True, text=True, timeout=60)
    assert result.returncode == 0, result.stderr
    if ":predict" in line:
        assert '"label":' in result.stdout
    if ":stream" in line:
        assert result.stdout.endswith('event: done\ndata: {"characters": 100}\n\n')


@pytest.mark.parametrize("number", range(3))
def test_python(server: ServedPage, grpc_port: int, number: int) -> None:
    code = PYTHON[number].replace("http://localhost:8501", server.url)
    code = code.replace("localhost:8500", f"localhost:{grpc_port}")
    result = subprocess.run(
        [sys.executable, "-I", "-W", "error", "-c", code],
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=60,
        env={"PYTHONIOENCODING": "utf-8"},
    )
    assert result.returncode == 0, result.stderr
    expected = ["'characters': 5", models.continued("The ", 200), "['bad', 'bad']"]
    assert expected[number] in result.stdout


def test_every_option_stands_there_with_its_default() -> None:
    rows = re.findall(r"^\| `(--[^|]*)` \|([^|]*)\|", PAGE, re.M)
    defaults = {
        name: default
        for names, values in rows
        for name, default in zip(names.split("`, `"), values.split(", "), strict=True)
    }
    options = {
        (option.secondary_opts or option.opts)[-1]: default
        for option in serve_command.params
        for default in [option.default if type(option.default) in (str, int, float) else ""]
        if option.opts[-1] not in ("directory", "--quiet", "--verbose", "--debug")
    }
    assert set(defaults) == set(options)
    for name, default in options.items():
        said = f"{default:g}" if isinstance(default, float) else str(default)
        assert defaults[name].strip() == said


def test_every_metric_stands_there(server: ServedPage) -> None:
    found = httpx.get(f"{server.url}/monitoring/prometheus/metrics").text
    families = re.findall(r"# TYPE (\w+) (\w+)", found)
    names = {name for name, kind in families if not name.endswith("_created")}
    assert names == set(re.findall(r"`(textapps_\w+)`", PAGE))
