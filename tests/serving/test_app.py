"""Tests of what is around the models: health, metrics, token, identities, log, page."""

import io
import json
import logging
import re
import shutil
from pathlib import Path
from typing import Literal

import pytest

from tests.serving import models
from tests.serving.asking import Asker, Built, Loaded, error_of
from textapps.serving import page
from textapps.serving.access_log import AccessLog
from textapps.serving.app import create_app
from textapps.serving.metrics import Metrics
from textapps.serving.repository import Repository
from textapps.serving.settings import Settings

METRICS = "/monitoring/prometheus/metrics"
PREDICT = "/v1/models/lengths:predict"
GOOD = {"instances": ["ab"]}
TOKEN = "s3cret-token"


@pytest.fixture(scope="module")
def repository(loaded: Loaded) -> Repository:
    return loaded("lengths")


@pytest.fixture
def ask(repository: Repository) -> Asker:
    return Asker(create_app(Settings(), repository))


def test_health(ask: Asker) -> None:
    assert ask("GET", "/health/live").json() == {"status": "live"}
    everything = {"status": "ready", "models": {"lengths": "ready"}}
    assert ask("GET", "/health/ready").json() == everything
    assert ask("HEAD", "/health/ready").status_code == 200
    assert ask("GET", "/health/ready/lengths").json() == {"status": "ready"}
    assert ask("GET", "/health/ready/none").status_code == 404


def test_health_of_a_model_whose_name_is_not_utf8(
    built: Built, directory: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL, "textapps")  # processes of pytest cannot send the name
    repository = Repository(directory, ready_when="any")
    models.copy(built("lengths"), directory / "lengths" / "1")
    (directory / "caf\udce9" / "1").mkdir(parents=True)
    (directory / "caf\udce9" / "1" / "saved_model.pb").write_bytes(b"damaged")
    repository.poll()
    response = Asker(create_app(Settings(), repository))("GET", "/health/ready")
    assert response.status_code == 200
    assert response.json()["models"]["lengths"] == "ready"


@pytest.mark.parametrize("ready_when", ["any", "all"])
def test_ready_by_model(built: Built, directory: Path, ready_when: Literal["any", "all"]) -> None:
    repository = Repository(directory, ready_when=ready_when)
    ask = Asker(create_app(Settings(), repository))
    response = ask("GET", "/health/ready")
    assert (response.status_code, response.json()) == (503, {"status": "loading", "models": {}})
    assert ask("GET", "/health/live").status_code == 200
    models.copy(built("lengths"), directory / "lengths" / "1")
    (directory / "broken" / "1").mkdir(parents=True)
    (directory / "broken" / "1" / "saved_model.pb").write_bytes(b"damaged")
    repository.poll()
    response = ask("GET", "/health/ready")
    state = "ready" if ready_when == "any" else "failed"
    models_now = {"broken": "failed", "lengths": "ready"}
    assert response.json() == {"status": state, "models": models_now}
    assert response.status_code == (200 if ready_when == "any" else 503)
    assert ask("GET", "/health/ready/lengths").status_code == 200
    broken = ask("GET", "/health/ready/broken")
    assert (broken.status_code, broken.json()) == (503, {"status": "failed"})
    assert "retry-after" not in broken.headers
    shutil.rmtree(directory / "broken")
    repository.poll()
    assert ask("GET", "/health/ready").status_code == 200
    shutil.rmtree(directory / "lengths")
    repository.poll()
    assert ask("GET", "/health/ready").status_code == 503


@pytest.mark.parametrize(
    ("method", "path", "status", "allowed"),
    [
        ("GET", "/v1", 404, None),
        ("GET", "/v2/models", 404, None),
        ("GET", "/docs", 404, None),
        ("GET", "/openapi.json", 404, None),
        ("GET", "/health", 404, None),
        ("GET", "/health/live/", 404, None),
        ("GET", "/page/", 404, None),
        ("GET", "/page/none.js", 404, None),
        ("GET", "/page/%2e%2e/app.py", 404, None),
        ("GET", "/page//etc/passwd", 404, None),
        ("POST", "/health/live", 405, {"GET", "HEAD"}),
        ("DELETE", METRICS, 405, {"GET", "HEAD"}),
        ("POST", "/", 405, {"GET", "HEAD"}),
    ],
)
def test_nothing_there(
    ask: Asker, method: str, path: str, status: int, allowed: set[str] | None
) -> None:
    response = ask(method, path)
    assert error_of(response).startswith(method)
    assert response.status_code == status
    assert response.headers["content-type"] == "application/json"
    if allowed:
        assert set(response.headers["allow"].split(", ")) == allowed


def samples(ask: Asker, metric: str) -> dict[str, float]:
    """Label text → value of a metric's samples."""
    response = ask("GET", METRICS)
    assert response.headers["content-type"].startswith("text/plain")
    found = re.findall(rf"^{metric}{{(.*)}} (.*)$", response.text, re.MULTILINE)
    return {labels: float(value) for labels, value in found}


def test_metrics(built: Built, tmp_path: Path) -> None:
    metrics = Metrics()
    models.copy(built("lengths"), tmp_path / "lengths" / "1")
    repository = Repository(tmp_path, on_batch=metrics.batch)
    repository.poll()
    ask = Asker(create_app(Settings(), repository, metrics))
    ask.post(PREDICT, GOOD)
    ask.post(PREDICT, {"instances": ["a", "b", "c"]})
    ask.post(PREDICT, {"instances": [1]})
    ask("GET", "/health/live")
    counts = samples(ask, "textapps_requests_total")
    assert counts == {
        'code="200",model="lengths",version="1"': 2,
        'code="400",model="lengths",version="1"': 1,
        'code="200",model="",version=""': 1,
    }
    seconds = samples(ask, "textapps_request_seconds_count")
    assert seconds['model="lengths",version="1"'] == 3
    labels = 'model="lengths",signature="serving_default",version="1"'
    assert samples(ask, "textapps_batch_rows_sum") == {labels: 4}
    assert samples(ask, "textapps_batch_rows_count") == {labels: 2}
    assert samples(ask, "textapps_queue_length") == {'model="lengths",version="1"': 0}


def test_what_a_client_makes_up_is_no_label(ask: Asker) -> None:
    ask("GET", METRICS)
    before = set(samples(ask, "textapps_requests_total"))
    for number in range(20):
        ask.post(f"/v1/models/unknown{number}:predict", GOOD)
        ask.post(f"/v1/models/lengths/versions/{number + 2}:predict", GOOD)
        ask("GET", f"/v1/models/lengths{number}")
        ask.post(PREDICT, {"signature_name": f"made-up{number}", **GOOD})
        ask("GET", f"/nothing{number}")
    after = set(samples(ask, "textapps_requests_total"))
    assert {labels.split(",", 1)[1] for labels in after - before} == {
        'model="",version=""',
        'model="lengths",version="1"',
    }
    assert "made-up" not in ask("GET", METRICS).text


@pytest.mark.parametrize(
    "path", [METRICS, "/v1/models", "/v1/models/lengths", "/nothing", "/health"]
)
def test_what_wants_the_token(repository: Repository, path: str) -> None:
    ask = Asker(create_app(Settings(token=TOKEN), repository))
    for wrong in (
        {},
        {"authorization": "Bearer"},
        {"authorization": f"Basic {TOKEN}"},
        {"authorization": f"Bearer {TOKEN}x"},
        {"authorization": f"Bearer {TOKEN[:-1]}"},
        {"authorization": b"Bearer \xff\xfe"},
    ):
        response = ask("GET", path, headers=wrong)
        assert error_of(response) == "a bearer token is needed"
        assert response.status_code == 401
        assert response.headers["www-authenticate"] == "Bearer"
    allowed = ask("GET", path, headers={"authorization": f"Bearer {TOKEN}"})
    assert allowed.status_code != 401


def test_health_and_page_want_no_token(repository: Repository) -> None:
    ask = Asker(create_app(Settings(token=TOKEN), repository))
    for path in ("/health/live", "/health/ready", "/", "/page/main.js"):
        assert ask("GET", path).status_code == 200
    for trick in ("/health/../v1/models", "/page/%2e%2e/v1/models", "/page/..%2fv1/models"):
        assert ask.raw("GET", trick, b"")[0] == 404


def test_the_token_is_in_no_text() -> None:
    settings = Settings(token=TOKEN)
    assert TOKEN not in f"{settings} {settings!r}"


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("a-Z_0.9", True),
        ("x" * 64, True),
        ("x" * 65, False),
        ("", False),
        ("a b", False),
        ('a","b":"', False),
        ("\xe4", False),
    ],
)
def test_identities(ask: Asker, given: str, kept: bool) -> None:
    headers = {"x-request-id": given.encode("latin-1")}
    answers = [ask.post(PREDICT, GOOD), ask("GET", PREDICT), ask("GET", "/health/live")]
    answers += [ask("GET", path, headers=headers) for path in ("/v1/models", PREDICT, "/none")]
    identities = [answer.headers["x-request-id"] for answer in answers]
    assert all(re.fullmatch("[0-9a-f]{16}", identity) for identity in identities[:3])
    assert len(set(identities[:3])) == 3
    assert [identity == given for identity in identities[3:]] == [kept] * 3


def test_every_answer_says_how_long_the_server_took(ask: Asker) -> None:
    answers = [ask.post(PREDICT, GOOD), ask("GET", "/v1/models"), ask("GET", "/none")]
    for answer in answers:
        assert re.fullmatch(r"total;dur=\d+\.\d", answer.headers["server-timing"])


def test_the_access_log_is_lines_of_json(repository: Repository) -> None:
    stream = io.StringIO()
    ask = Asker(create_app(Settings(), repository, access_log=AccessLog(stream)))
    ask.post(PREDICT, GOOD)
    ask("GET", '/v1/models/"\\%0a{?secret=1', headers={"x-request-id": "mine"})
    first, second = map(json.loads, stream.getvalue().splitlines())
    assert list(first) == [
        "time",
        "request_id",
        "client",
        "method",
        "path",
        "status",
        "ms",
        "model",
        "version",
    ]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00", first["time"])
    assert (first["status"], first["model"], first["version"]) == (200, "lengths", "1")
    assert first["ms"] > 0
    assert (second["request_id"], second["status"], second.get("model")) == ("mine", 404, None)
    assert "secret" not in second["path"]


def test_nor_does_one_that_no_model_gives(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(metrics: Metrics) -> bytes:
        raise RuntimeError("secret of the inside")

    monkeypatch.setattr(Metrics, "text", fail)
    response = Asker(create_app(Settings(), repository))("GET", METRICS)
    assert error_of(response) == f"GET {METRICS}: internal error"
    assert response.status_code == 500


def test_the_page_is_read_once(
    repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "parts").mkdir()
    (tmp_path / "index.html").write_text("<p>ü</p>", encoding="utf-8")
    (tmp_path / "parts" / "wave.js").write_text("export {};")
    (tmp_path / "notes.txt").write_text("not part of it")
    monkeypatch.setattr(page, "_DIRECTORY", tmp_path)
    ask = Asker(create_app(Settings(), repository))
    (tmp_path / "late.js").write_text("export {};")
    index = ask("GET", "/")
    assert (index.text, index.headers["content-type"]) == ("<p>ü</p>", "text/html; charset=utf-8")
    assert "script-src 'self'" in index.headers["content-security-policy"]
    script = ask("GET", "/page/parts/wave.js")
    assert script.headers["content-type"] == "text/javascript; charset=utf-8"
    assert script.headers["x-content-type-options"] == "nosniff"
    for absent in ("/page/notes.txt", "/page/late.js", "/page/index.html", "/page/parts"):
        assert ask("GET", absent).status_code == 404


class FullDisk(io.StringIO):
    """As `2>/full/disk/serve.log`, or as a pipe whose reader is gone."""

    def write(self, text: str) -> int:
        raise OSError(28, "No space left on device")


def test_a_log_that_cannot_be_written_costs_no_answer(repository: Repository) -> None:
    ask = Asker(create_app(Settings(), repository, access_log=AccessLog(FullDisk())))
    assert ask.post(PREDICT, GOOD).json() == {"predictions": [2]}
    closed = io.StringIO()
    closed.close()
    ask = Asker(create_app(Settings(), repository, access_log=AccessLog(closed)))
    assert ask.post(PREDICT, GOOD).json() == {"predictions": [2]}
