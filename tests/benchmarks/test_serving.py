"""What the serving benchmarks make of a server, with one that is made up; nothing is timed here."""

import asyncio
import json
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import numpy as np
import pytest

from benchmarks.benchmark import Context, load
from benchmarks.results import Figures
from benchmarks.suites import fuzzing, hostile, served, serving
from benchmarks.suites.load import NO_ANSWER, Question, arrive, saturate
from benchmarks.suites.mutations import Case
from benchmarks.suites.served import Server
from tests.serving import models
from textapps.cli.commands.launch import free_ports

# Answers each text with its length and what stands in the newest version of the model, as if it
# were served; refuses what is to be refused. From the second argument on requests get status 500.
FAKE = """
import json, sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

directory, fail_after, port = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
asked = 0

class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self):
        self.answer(200, {})

    def do_POST(self):
        global asked
        asked += 1
        body = self.rfile.read(int(self.headers["content-length"]))
        self.answer(*self.predict(self.path.split("/")[-1].removesuffix(":predict"), body))

    def predict(self, model, body):
        if len(body) > 1 << 24:
            return 413, {"error": "too long"}
        if "evil" in str(self.headers):
            return 403, {"error": "not allowed"}
        if len(body) > 1 << 19 or len(self.headers.get_all("host")) > 1:
            return 400, {"error": "bad"}
        if "%" in model or model == "nobody":
            return 404, {"error": "no model"}
        try:
            request = json.loads(body)
            assert request.keys() <= {"instances", "signature_name"} and request["instances"]
            assert request.get("signature_name", "score") == "score"
            sizes = [len(text.encode()) for text in request["instances"]]
        except Exception:
            return 400, {"error": "bad"}
        if fail_after and asked > fail_after:
            return 500, {"error": "tired"}
        versions = [int(path.name) for path in (directory / model).iterdir() if path.name.isdigit()]
        kind = (directory / model / str(max(versions)) / "kind").read_text()
        return 200, {"predictions": [{"kind": kind, "size": size / 7} for size in sizes]}

    def answer(self, status, content):
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("content-length", str(len(body)))
        if status == 413:
            self.send_header("connection", "close")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments):
        pass

class Server(ThreadingHTTPServer):
    request_queue_size = 128

Server(("127.0.0.1", port), Handler).serve_forever()
"""


@pytest.fixture
def exports(tmp_path: Path) -> Path:
    """Where models are that the server makes up."""
    for kind in ("gru", "lstm"):
        path = tmp_path / "serving" / "exported" / kind / "1"
        path.mkdir(parents=True)
        (path / "kind").write_text(kind)
    return tmp_path


@pytest.fixture
def measured(exports: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Figures]:
    """The figures of a benchmark; from the request `fail_after` on the server answers with 500."""

    def measure(name: str, fail_after: int = 0, **settings: Any) -> Figures:
        def start(directory: Path) -> Server:
            return Server([sys.executable, "-c", FAKE, str(directory), str(fail_after)], "/")

        monkeypatch.setattr(served, "prepare", lambda work: work / "serving" / "exported")
        monkeypatch.setattr(served, "textapps_server", start)
        return load(name).model_copy(update=settings).measure(Context(exports))

    return measure


def test_soak_tells_of_failures(measured: Callable[..., Figures]) -> None:
    # The fake answers what is asked beforehand, each text alone, and little more.
    found = measured("serving-soak", fail_after=248, seconds=0.3, connections=8)
    assert found["statuses"]["500"] == found["wrong"] > 0
    assert "500" in found["first_wrong"][0]
    least = found["most_memory_in_warm_up_mb"]
    assert found["memory_growth"] == round(found["most_memory_later_mb"] / least - 1, 4)


def test_dependent_models_are_compared_with_what_they_should_say() -> None:
    for name, question in (
        ("rank", next(hostile.about_numbers("rank", 1))),
        ("share", next(hostile.about_numbers("share", 1))),
    ):
        numbers = json.loads(question.body)["instances"]
        expected = hostile.DEPENDENT[name](np.array(numbers, np.float32)).tolist()
        assert question.right(200, json.dumps({"predictions": expected}).encode())
        cut = [*hostile.DEPENDENT[name](np.array(numbers[:2], np.float32)).tolist(), *expected[2:]]
        assert not question.right(200, json.dumps({"predictions": cut}).encode())
        assert not question.right(200, json.dumps({"predictions": expected[1:]}).encode())
        assert not question.right(503, b"")


@pytest.mark.parametrize(
    ("answer", "whole", "status", "failed", "wrong"),
    [
        (b"HTTP/1.1 200 OK\r\nx-request-id: a1\r\n\r\n{}", True, "200", [], False),
        (b'HTTP/1.1 400 Bad\r\nx-request-id: a1\r\n\r\n{"error": "x"}', True, "400", [], False),
        (b"HTTP/1.1 400 Bad\r\nx-request-id: a1\r\n\r\nplain", True, "400", [], True),
        (b'HTTP/1.1 400 Bad\r\n\r\n{"error": "x"}', True, "400", [], True),
        (b'HTTP/1.1 500 No\r\nx-request-id: a1\r\n\r\n{"error": "x"}', True, "500", ["a1"], False),
        (b'HTTP/1.1 502 No\r\nx-request-id: a1\r\n\r\n{"error": "x"}', True, "502", [], True),
        (b"", False, "closed", [], False),
        (b"", True, "closed", [], True),
        (None, False, "no answer", [], False),
        (None, True, "no answer", [], True),
    ],
)
def test_answers_to_what_nobody_would_send(
    answer: bytes | None, whole: bool, status: str, failed: list[str], wrong: bool
) -> None:
    outcome = fuzzing.Outcome()
    outcome.add(Case(b"GET /", whole), answer)
    assert (dict(outcome.statuses), outcome.failed) == ({status: 1}, failed)
    assert bool(outcome.wrong) == wrong


def test_failures_are_explained_by_a_traceback() -> None:
    log = 'request a1 failed\n  File "x"\n{"time": 1}\nrequest b2 failed\n{"time": 2}\n  File "y"\n'
    assert [fuzzing.explained(log, each) for each in ("a1", "b2", "c3")] == [True, False, False]


def test_swap_publishes_versions_and_hears_both_models(
    measured: Callable[..., Figures], exports: Path
) -> None:
    found = measured("serving-swap", seconds=1.5, swap_seconds=0.1, connections=8)
    assert found["wrong"] == 0, found["first_wrong"]
    assert found["versions_published"] > 2
    assert sum(found["answers_of_each_model"].values()) == found["requests"]
    assert all(found["answers_of_each_model"].values())
    last = found["versions_published"]
    left = [path.name for path in (exports / "serving" / "swapped" / "model").iterdir()]
    assert sorted(map(int, left)) == [last - 1, last]


def test_a_server_that_is_away_is_counted_not_raised() -> None:
    question = Question("/", b"", lambda status, body: status == 200)
    (port,) = free_ports(1)
    for work in (saturate(port, [question], 3, 0.05), arrive(port, [question], 3, 500, 0.05)):
        tally = asyncio.run(work)
        assert set(tally.statuses) == {NO_ANSWER}
        assert len(tally.wrong) == len(tally.taken)


def test_a_process_that_does_not_serve_is_an_error() -> None:
    with pytest.raises(RuntimeError, match="does not serve"):
        Server([sys.executable, "-c", "raise SystemExit(3)"], "/")


def test_answers_are_compared_but_for_last_digits() -> None:
    row = {"label": "good", "scores": [0.25, 0.75], "size": 3}
    assert served.close([row], [{**row, "scores": [0.25001, 0.74999]}])
    assert served.close([], [])
    for change in ({"label": "bad"}, {"scores": [0.26, 0.74]}, {"scores": [0.25]}, {"size": 4}):
        assert not served.close([{**row, **change}], [row])
    assert not served.close([{**row, "more": 1}], [row])
    assert not served.close([row, row], [row])
    assert not served.close({"error": "x"}, [row])


def test_a_request_of_many_texts_is_right_where_each_is() -> None:
    def post(path: str, body: bytes) -> bytes:
        request = json.loads(body)
        assert request.pop("signature_name") == "score"
        (text,) = request["instances"]
        return json.dumps({"predictions": [len(text) / 3]}).encode()

    asked = served.texts((1, 3), 4)
    assert [len(text.split()) for text in asked] == [1, 3, 1, 3]
    found = served.questions(SimpleNamespace(post=post), "/m", asked, 3, "score")
    chosen = [asked[3], asked[0], asked[1]]
    assert json.loads(found[3].body) == {"signature_name": "score", "instances": chosen}
    good = [len(text) / 3 for text in chosen]
    assert found[3].right(200, json.dumps({"predictions": good}).encode())
    assert not found[3].right(500, json.dumps({"predictions": good}).encode())
    assert not found[3].right(200, json.dumps({"predictions": good[1:] + good[:1]}).encode())


def test_a_plain_endpoint_answers_as_the_model(tmp_path: Path) -> None:
    from benchmarks.counterparts.plain_endpoint import create_app

    app = create_app(str(models.classifier(tmp_path / "m" / "1")))

    async def post(path: str) -> httpx.Response:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://plain") as client:
            return await client.post(path, json={"instances": ["good", "bad bad"]})

    for path in serving.PLAIN.values():
        answer = asyncio.run(post(path))
        assert served.close(
            answer.json()["predictions"],
            [
                {"label": "good", "probability": 2 / 3, "scores": [1 / 3, 2 / 3]},
                {"label": "bad", "probability": 0.75, "scores": [0.75, 0.25]},
            ],
        )
