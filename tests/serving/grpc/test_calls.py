"""Tests of what every call gets: token, id, deadline, codes, log, metrics."""

import logging
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.serving.asking import Built, Loaded, repository_of
from tests.serving.grpc.asking import PATIENCE_SECONDS, PREDICT, Served, predict_request
from textapps.serving.batching import Batching
from textapps.serving.grpc import prediction
from textapps.serving.metrics import Metrics
from textapps.serving.readers import Readers
from textapps.serving.repository import Repository
from textapps.serving.settings import Settings

GOOD = predict_request("lengths", {"text": ["ab"]})
LIMIT = 20_000


@pytest.fixture(scope="module")
def repository(loaded: Loaded) -> Repository:
    return loaded("lengths", "sleeper", "zeros", fails="failing")


@pytest.fixture(scope="module")
def served(repository: Repository) -> Iterator[Served]:
    with Served(repository, Settings(max_body_mb=LIMIT / 2**20)) as served:
        yield served


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(logging.getLogger("textapps"), "propagate", True)
    return caplog


def sleep(seconds: float) -> Any:
    return predict_request("sleeper", {"seconds": [seconds]})


def wait_for_lines(served: Served, count: int) -> list[dict[str, Any]]:
    """The log from line `count` on, once there is one; a client may hear of the end before."""
    end = time.monotonic() + PATIENCE_SECONDS
    while len(served.log) <= count and time.monotonic() < end:
        time.sleep(0.01)
    return served.log[count:]


def test_the_token(repository: Repository) -> None:
    with Served(repository, Settings(token="s3cret")) as served:
        for given in ({}, {"authorization": "s3cret"}, {"authorization": "Bearer s3cre"}):
            refusal = served.refusal(PREDICT, GOOD, **given)
            assert refusal == ("UNAUTHENTICATED", "a bearer token is needed")
        assert served.ask(PREDICT, GOOD, authorization="Bearer s3cret")
        assert served.ask("/grpc.health.v1.Health/Check", b"")  # as /health/ready over HTTP
        assert served.refusal("/no/method", b"")[0] == "UNAUTHENTICATED"


def test_no_message_is_taken_without_the_token(repository: Repository) -> None:
    settings = Settings(token="s3cret", max_body_mb=LIMIT / 2**20)
    too_long = b"x" * (20 * LIMIT)  # gRPC itself refuses it where it is read
    with Served(repository, settings) as served:
        assert served.refusal(PREDICT, too_long)[0] == "UNAUTHENTICATED"
        right = served.refusal(PREDICT, too_long, authorization="Bearer s3cret")
        assert right[0] == "RESOURCE_EXHAUSTED"


@pytest.mark.parametrize("given", ["mine-1", "", "no good", "a" * 65, None])
def test_request_ids(served: Served, given: str | None) -> None:
    lines = len(served.log)
    metadata = [] if given is None else [("x-request-id", given)]
    _, call = served.method(PREDICT).with_call(GOOD.SerializeToString(), metadata=metadata)
    (identity,) = [value for key, value in call.trailing_metadata() if key == "x-request-id"]
    assert identity == "mine-1" if given == "mine-1" else len(identity) == 16
    (line,) = wait_for_lines(served, lines)
    assert line.pop("time").endswith("+00:00")
    assert line.pop("ms") > 0
    assert line == {
        "request_id": identity,
        "client": "127.0.0.1",
        "method": "gRPC",
        "path": PREDICT,
        "code": "OK",
        "model": "lengths",
        "version": "1",
    }


def test_an_error_has_the_request_id_too(served: Served) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        served.ask(PREDICT, b"\xff", x_request_id="mine-2")
    assert ("x-request-id", "mine-2") in list(caught.value.trailing_metadata())


def test_the_client_behind_a_proxy(repository: Repository) -> None:
    with Served(repository, Settings(proxy_headers=True)) as served:
        served.ask(PREDICT, GOOD, x_forwarded_for="10.1.2.3, 10.4.5.6")
        (line,) = wait_for_lines(served, 0)
    assert line["client"] == "10.4.5.6"


def test_methods_that_there_are_not(served: Served) -> None:
    for path in ("/tensorflow.serving.PredictionService/MultiInference", "/a/b", "/"):
        lines = len(served.log)
        code, message = served.refusal(path, b"anything")
        assert (code, message) == ("UNIMPLEMENTED", f"there is no method {path} here")
        assert wait_for_lines(served, lines)[0]["code"] == "UNIMPLEMENTED"


def test_messages_that_are_too_large(served: Served) -> None:
    code, message = served.refusal(PREDICT, b"\0" * (LIMIT + 1))
    assert (code, message) == ("RESOURCE_EXHAUSTED", "the message has more than 20,000 bytes")
    assert served.refusal(PREDICT, b"\0" * (2 * LIMIT + 1))[0] == "RESOURCE_EXHAUSTED"
    bomb = served.channel.unary_unary(PREDICT)
    with pytest.raises(grpc.RpcError) as caught:
        bomb(b"\0" * (200 * LIMIT), compression=grpc.Compression.Gzip)
    assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert served.method(PREDICT)(GOOD.SerializeToString(), compression=grpc.Compression.Gzip)


def test_a_call_past_its_deadline_does_not_run(built: Built, tmp_path: Path) -> None:
    began: list[int] = []
    repository = repository_of(
        tmp_path, built, on_batch=lambda *call: began.append(call[-1]), sleeper="sleeper"
    )
    with Served(repository) as served:
        first = served.method(PREDICT).future(sleep(1.0).SerializeToString())
        while not began:
            time.sleep(0.01)
        assert served.refusal(PREDICT, sleep(0.0), seconds=0.2)[0] == "DEADLINE_EXCEEDED"
        (line,) = wait_for_lines(served, 0)
        assert (line["code"], line["model"]) == ("DEADLINE_EXCEEDED", "sleeper")
        assert first.result(PATIENCE_SECONDS)
        served.ask(PREDICT, sleep(0.0))
    assert began == [1, 1]


def test_the_deadline_of_the_server(built: Built, tmp_path: Path) -> None:
    repository = repository_of(tmp_path, built, Batching(deadline_ms=50), sleeper="sleeper")
    with Served(repository) as served:
        assert served.refusal(PREDICT, sleep(0.5)) == (
            "DEADLINE_EXCEEDED",
            "no answer within 50 ms",
        )


def test_the_deadline_covers_the_wait_for_a_reader(
    built: Built, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when all processes read for others."""
    free = threading.Event()
    monkeypatch.setattr(prediction, "_LARGE_BYTES", 0)
    monkeypatch.setattr(Readers, "_read", lambda *_: free.wait(30))
    repository = repository_of(tmp_path, built, sleeper="sleeper")
    with Served(repository, Settings(deadline_ms=300)) as served:
        assert served.refusal(PREDICT, sleep(0.0)) == (
            "DEADLINE_EXCEEDED",
            "no answer within 300 ms",
        )
        free.set()


def test_a_call_that_the_client_gives_up_does_not_run(built: Built, tmp_path: Path) -> None:
    began: list[int] = []
    repository = repository_of(
        tmp_path, built, on_batch=lambda *call: began.append(call[-1]), sleeper="sleeper"
    )
    with Served(repository) as served:
        first = served.method(PREDICT).future(sleep(1.0).SerializeToString())
        while not began:
            time.sleep(0.01)
        second = served.method(PREDICT).future(sleep(0.0).SerializeToString())
        while not repository.find("sleeper").waiting:
            time.sleep(0.01)
        second.cancel()
        (line,) = wait_for_lines(served, 0)
        assert line["code"] == "CANCELLED"
        assert not repository.find("sleeper").waiting
        assert first.result(PATIENCE_SECONDS)
    assert began == [1]


def test_a_full_queue(built: Built, tmp_path: Path) -> None:
    repository = repository_of(tmp_path, built, Batching(max_queue=1), sleeper="sleeper")
    with Served(repository) as served:
        method = served.method(PREDICT)
        running = [method.future(sleep(1.0).SerializeToString()) for _ in range(3)]
        codes = {each.code().name for each in running}
    assert codes == {"OK", "UNAVAILABLE"}


def test_a_failure_in_the_model_is_logged(served: Served, log: pytest.LogCaptureFixture) -> None:
    request = predict_request("fails", {"text": ["topsecret words"], "number": [31415.5]})
    code, message = served.refusal(PREDICT, request, x_request_id="mine-3")
    assert (code, message) == ("INTERNAL", "topsecret words; No such file or directory")
    (record,) = log.records
    assert record.message.startswith("request mine-3 to model 'fails' version 1 failed\n")
    assert "NotFoundError" in record.message
    assert "signature.py" in record.message
    assert "topsecret" not in record.message


def test_an_error_of_the_server(
    served: Served,
    repository: Repository,
    monkeypatch: pytest.MonkeyPatch,
    log: pytest.LogCaptureFixture,
) -> None:
    async def fail(*arguments: Any) -> None:
        raise RuntimeError("secret of the inside")

    monkeypatch.setattr(repository.find("lengths"), "answer", fail)
    refusal = served.refusal(PREDICT, GOOD, x_request_id="mine-4")
    assert refusal == ("INTERNAL", "internal error: the server's log has request mine-4")
    assert "RuntimeError: secret of the inside" in log.text


def test_what_is_wrong_with_a_request_is_not_logged(
    served: Served, log: pytest.LogCaptureFixture
) -> None:
    assert served.refusal(PREDICT, b"\xff")[0] == "INVALID_ARGUMENT"
    assert not log.records


def test_a_long_message_reaches_the_client(served: Served) -> None:
    request = predict_request("lengths", {"text": ["a"], "漢" * 4000: [1]})
    code, message = served.refusal(PREDICT, request)
    assert (code, message[:31]) == ("INVALID_ARGUMENT", "the request takes no input '漢漢漢")
    assert 500 < len(message) < 1000


def test_a_message_is_one_line(served: Served) -> None:
    code, message = served.refusal(PREDICT, predict_request("a\nb\u2028\x00", {}))
    assert (code, message) == ("NOT_FOUND", "there is no model 'a b  '")


def test_metrics_count_calls_beside_http_requests(repository: Repository) -> None:
    metrics = Metrics()
    metrics.request("lengths", "1", 200, 0.0)
    with Served(repository, metrics=metrics) as served:
        served.ask(PREDICT, GOOD)
        served.refusal(PREDICT, predict_request("lengths", {}))
        served.refusal("/made/up", b"")
        wait_for_lines(served, 2)
    found = {
        (sample.labels["model"], sample.labels["code"]): sample.value
        for family in text_string_to_metric_families(metrics.text().decode())
        for sample in family.samples
        if sample.name == "textapps_requests_total"
    }
    assert found == {
        ("lengths", "200"): 1,
        ("lengths", "OK"): 1,
        ("lengths", "INVALID_ARGUMENT"): 1,
        ("", "UNIMPLEMENTED"): 1,
    }


def test_running_calls_finish_when_the_server_stops(built: Built, tmp_path: Path) -> None:
    began: list[int] = []
    repository = repository_of(
        tmp_path, built, on_batch=lambda *call: began.append(call[-1]), sleeper="sleeper"
    )
    with Served(repository) as served:
        short = served.method(PREDICT).future(sleep(1.0).SerializeToString())
        while not began:
            time.sleep(0.01)
        stopped = threading.Thread(target=lambda: served.run(served.server.stop(30)))
        stopped.start()
        assert short.result(PATIENCE_SECONDS)
        stopped.join()
        assert served.refusal(PREDICT, sleep(0.0), seconds=1)[0] == "UNAVAILABLE"


def test_answers_that_clients_do_not_read(repository: Repository) -> None:
    """One connection whose client reads nothing of large answers: small ones have room still."""
    large = predict_request("zeros", {"count": [99_000]}).SerializeToString()
    settings = Settings(max_answer_mb=0.4, max_body_mb=0.01)
    with Served(repository, settings) as served:
        options = [("grpc.http2.lookahead_bytes", 65_535), ("grpc.http2.bdp_probe", 0)]
        with grpc.insecure_channel(f"127.0.0.1:{served.port}", options) as idle:
            stream = idle.unary_stream(PREDICT)
            unread = [stream(large) for _ in range(30)]
            lines = wait_for_lines(served, 29)
            assert len(served.log) == len(unread)
            assert {line["code"] for line in [*served.log[:29], *lines]} == {"OK", "UNAVAILABLE"}
            assert served.refusal(PREDICT, large) == (
                "UNAVAILABLE",
                "other large requests take up the memory: try again later",
            )
            assert served.ask(PREDICT, GOOD)
            for call in unread:
                call.cancel()
        end = time.monotonic() + PATIENCE_SECONDS
        while not answers(served, large):
            assert time.monotonic() < end
            time.sleep(0.01)


def test_a_message_that_does_not_come(repository: Repository) -> None:
    sent = threading.Event()

    def never() -> Iterator[bytes]:
        sent.wait(PATIENCE_SECONDS)
        yield GOOD

    with Served(repository, Settings(deadline_ms=300)) as served:
        ask = served.channel.stream_unary(PREDICT)
        with pytest.raises(grpc.RpcError) as late:
            ask(never())
        with pytest.raises(grpc.RpcError) as none:
            ask(iter(()))
        sent.set()
        assert served.ask(PREDICT, GOOD)
    assert late.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    assert late.value.details() == "the message did not come within 300 ms"
    assert none.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert none.value.details() == "the call has no message"


def test_answers_that_clients_do_not_read_in_time_are_dropped(repository: Repository) -> None:
    large = predict_request("zeros", {"count": [99_000]}).SerializeToString()
    settings = Settings(max_answer_mb=0.4, max_body_mb=0.01, write_timeout=0.5)
    with Served(repository, settings) as served:
        options = [("grpc.http2.lookahead_bytes", 65_535), ("grpc.http2.bdp_probe", 0)]
        with grpc.insecure_channel(f"127.0.0.1:{served.port}", options) as idle:
            stream = idle.unary_stream(PREDICT)
            unread = [stream(large) for _ in range(30)]
            wait_for_lines(served, 29)
            end = time.monotonic() + PATIENCE_SECONDS
            while not answers(served, large):
                assert time.monotonic() < end
                time.sleep(0.05)
            assert len(unread) == 30  # they are held until here


def answers(served: Served, request: bytes) -> bool:
    try:
        return bool(served.ask(PREDICT, request))
    except grpc.RpcError:
        return False
