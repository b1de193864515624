"""What the serving benchmark makes of a server, with one that is made up; nothing is timed here."""

import asyncio
import json
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from types import SimpleNamespace

import httpx
import pytest

from benchmarks import results, served, serving, serving_page
from benchmarks.load import NO_ANSWER, Question, Tally, arrive, saturate
from benchmarks.served import Server

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
    for kind in ("gru", "lstm"):
        path = tmp_path / "exported" / kind / "1"
        path.mkdir(parents=True)
        (path / "kind").write_text(kind)
    return tmp_path / "exported"


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Server]:
    """Stands for `textapps serve` and, with the same answers, for the plain endpoint."""

    def start(directory: Path, fail_after: int = 0) -> Server:
        return Server([sys.executable, "-c", FAKE, str(directory), str(fail_after)], "/")

    monkeypatch.setattr(serving, "textapps_server", start)
    monkeypatch.setattr(serving, "plain_server", lambda export: start(export.parent.parent))
    monkeypatch.setattr(serving, "PLAIN", {"plain": "/gru:predict"})
    monkeypatch.setattr(serving, "CONNECTIONS", 8)
    monkeypatch.setattr(serving, "WARM_SECONDS", 0.05)
    return start


def test_sides_are_loaded_in_turn_and_compared(exports: Path, fake: object) -> None:
    found = serving.measure(exports, seconds=0.1, rounds=1)
    assert found["models_served"] == ["gru", "lstm"]
    assert found["idle_memory_mb"] > 1
    assert len(found["seconds_to_ready"]) == 1
    assert found["texts"].keys() == serving.LENGTHS.keys()
    for figures in found["texts"].values():
        assert figures["sides"].keys() == {"textapps", "plain"}
        assert figures["times_as_many"]["plain"] > 0
        for side in (*figures["sides"].values(), figures["at_half_load"]):
            (once,) = side["rounds"]
            assert once["requests"] > 0
            assert once["wrong"] == 0


def test_soak_asks_good_and_bad_and_gets_what_it_should(exports: Path, fake: object) -> None:
    found = serving.soak(exports, seconds=0.5)
    assert found["wrong"] == 0, found["first_wrong"]
    assert {"200", "400"} <= found["statuses"].keys() <= {"200", "400", "404", "413"}
    assert sum(found["statuses"].values()) == found["requests"]
    least = found["most_memory_in_warm_up_mb"]
    assert found["memory_growth"] == round(found["most_memory_later_mb"] / least - 1, 4)


def test_soak_tells_of_failures(
    exports: Path, fake: Callable[..., Server], monkeypatch: pytest.MonkeyPatch
) -> None:
    # The fake answers what is asked beforehand, each text alone, and little more.
    monkeypatch.setattr(serving, "textapps_server", lambda path: fake(path, fail_after=248))
    found = serving.soak(exports, seconds=0.3)
    assert found["statuses"]["500"] == found["wrong"] > 0
    assert "500" in found["first_wrong"][0]


def test_swap_publishes_versions_and_hears_both_models(
    exports: Path, fake: object, tmp_path: Path
) -> None:
    found = serving.swap(exports, tmp_path / "swapped", seconds=1.5, swap_seconds=0.1)
    assert found["wrong"] == 0, found["first_wrong"]
    assert found["versions_published"] > 2
    assert sum(found["answers_of_each_model"].values()) == found["requests"]
    assert all(found["answers_of_each_model"].values())
    last = found["versions_published"]
    left = [path.name for path in (tmp_path / "swapped" / "model").iterdir()]
    assert sorted(map(int, left)) == [last - 1, last]


def test_figures_go_into_a_file_once(
    exports: Path, fake: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(results, "RESULTS", tmp_path / "docs" / "results")
    monkeypatch.setattr(serving, "prepare", lambda work: exports)
    arguments = ["--soak", "--seconds", "0.2", "--work", str(tmp_path)]
    serving.main(arguments)
    path = tmp_path / "docs" / "results" / "serving-soak.json"
    assert json.loads(path.read_text())["seconds"] == 0.2
    path.write_text('{"kept": 1}')
    serving.main(arguments)
    assert path.read_text() == '{"kept": 1}'
    assert not (tmp_path / "docs" / "results" / "serving.json").exists()


def test_ratios_are_of_medians() -> None:
    def tally(requests: int, seconds: float) -> Tally:
        return Tally(seconds, [0.01 * (i + 1) for i in range(requests)])

    found = serving.compare(
        {
            "textapps": [(tally(60, 2), 0.3), (tally(10, 1), 0.2), (tally(100, 2), 1.0)],
            "plain": [(tally(10, 1), 0.4)] * 3,
        },
        [tally(100, 1)],
    )
    assert found["sides"]["textapps"]["median_per_second"] == 30
    assert found["sides"]["textapps"]["server_cpu_ms"] == 10
    assert found["times_as_many"] == {"plain": 3}
    assert found["at_half_load"]["median_p99_ms"] == 1000
    assert found["at_half_load"]["rounds"][0]["p50_ms"] == 510


def test_a_server_that_is_away_is_counted_not_raised() -> None:
    question = Question("/", b"", lambda status, body: status == 200)
    port = served.free_port()
    for load in (saturate(port, [question], 3, 0.05), arrive(port, [question], 3, 500, 0.05)):
        tally = asyncio.run(load)
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
    from benchmarks.plain_endpoint import create_app
    from tests.serving import models

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


def table(heading: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    return "\n".join(" | ".join(row) for row in [heading, *rows])


def test_the_page_says_what_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(results, "RESULTS", tmp_path)
    assert "\n".join(serving_page.sections(table)).count("not measured") == 3


def test_the_page_has_what_was_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(results, "RESULTS", tmp_path)
    figures = {
        "sides": {
            "textapps": {"median_per_second": 1234.5},
            "plain, in threads": {"median_per_second": 400.1},
        },
        "times_as_many": {"plain, in threads": 3.09},
        "at_half_load": {"median_p99_ms": 12.34},
    }
    results.write_result(
        "serving",
        {
            "model": "a model",
            "connections": 64,
            "texts": {"20 words": figures},
            "models_served": ["gru", "lstm"],
            "median_seconds_to_ready": 6.54,
            "idle_memory_mb": 1023.4,
        },
    )
    outcome = {"seconds": 1200, "requests": 54321, "wrong": 2}
    results.write_result(
        "serving-soak",
        {**outcome, "statuses": {"0": 1, "200": 9, "413": 5, "504": 7}, "memory_growth": 0.0123},
    )
    results.write_result(
        "serving-swap", {**outcome, "seconds_between_versions": 5, "versions_published": 24}
    )
    page = "\n".join(serving_page.sections(table))
    assert "20 words | 1,234 | 400 | 3.1 | 12.3" in page
    assert "(gru, lstm) it is ready 6.5 s" in page
    assert "holds 1,023 MB" in page
    assert "20 minutes" in page
    assert "54,321 requests, 2 answers other than expected, 8 of status 500" in page
    assert "+1.2 %" in page
    assert "24 versions, 54,321 requests, 2 failed" in page
    assert "not measured" not in page
