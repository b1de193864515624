"""Tests of gRPC in a real server: signals, the token, what else it serves."""

import json
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.request import Request, urlopen

import grpc
import pytest

from tests.serving import models
from tests.serving.asking import Built
from tests.serving.grpc.asking import PREDICT, predict_request
from tests.serving.process import PATIENCE_SECONDS, ServerProcess
from textapps.cli.commands.launch import free_ports


def test_token_metrics_and_the_end(built: Built, tmp_path: Path) -> None:
    """After SIGTERM running calls finish, by either interface, and new ones are refused."""
    directory = tmp_path / "models"
    models.copy(built("sleeper"), directory / "sleeper" / "1")
    (port,) = free_ports(1)
    token = {"TEXTAPPS_SERVE_TOKEN": "s3cret"}
    with (
        ServerProcess(directory, "--grpc-port", str(port), **token) as server,
        grpc.insecure_channel(f"127.0.0.1:{port}") as channel,
        ThreadPoolExecutor(1) as pool,
    ):
        assert f"listening for gRPC on 127.0.0.1:{port}\n" in server.log
        method = channel.unary_unary(PREDICT)
        request = predict_request("sleeper", {"seconds": [0.0]}).SerializeToString()
        with pytest.raises(grpc.RpcError) as caught:
            method(request, timeout=PATIENCE_SECONDS)
        assert caught.value.code() is grpc.StatusCode.UNAUTHENTICATED
        bearer = [("authorization", "Bearer s3cret")]
        assert method(request, metadata=bearer, timeout=PATIENCE_SECONDS)

        long = predict_request("sleeper", {"seconds": [1.5]}).SerializeToString()
        running = method.future(long, metadata=bearer)
        body = b'{"instances": [0.0]}'
        head = (
            "POST /v1/models/sleeper:predict HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
            f"Authorization: Bearer s3cret\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        called = 'rows_count{model="sleeper",signature="serving_default",version="1"} 2.0'
        while called not in scraped(server):
            time.sleep(0.01)
        queued = pool.submit(server.send, head.encode() + body)
        while 'textapps_queue_length{model="sleeper",version="1"} 1.0' not in scraped(server):
            assert not running.done()
        answered = 'textapps_requests_total{code="OK",model="sleeper",version="1"} 1.0'
        assert answered in scraped(server)
        server.process.send_signal(signal.SIGTERM)
        assert running.result(PATIENCE_SECONDS)
        assert queued.result(PATIENCE_SECONDS).endswith(b'{"predictions":[0.0]}')
        assert server.process.wait(PATIENCE_SECONDS) == 0
        with pytest.raises(grpc.RpcError) as caught:
            method(request, metadata=bearer, timeout=1)
        assert caught.value.code() is grpc.StatusCode.UNAVAILABLE
    lines = [json.loads(line) for line in server.log.splitlines() if line.startswith("{")]
    codes = [line["code"] for line in lines if line["method"] == "gRPC"]
    assert codes == ["UNAUTHENTICATED", "OK", "OK"]
    assert server.log.endswith("stopped\n")
    assert "Traceback" not in server.log
    assert "s3cret" not in server.log


def scraped(server: ServerProcess) -> str:
    request = Request(
        f"{server.url}/monitoring/prometheus/metrics", headers={"authorization": "Bearer s3cret"}
    )
    with urlopen(request, timeout=PATIENCE_SECONDS) as answer:
        return str(answer.read().decode())


def test_a_second_ctrl_c_does_not_wait(built: Built, tmp_path: Path) -> None:
    directory = tmp_path / "models"
    models.copy(built("sleeper"), directory / "sleeper" / "1")
    (port,) = free_ports(1)
    with (
        ServerProcess(directory, "--grpc-port", str(port), "--drain-seconds", "60") as server,
        grpc.insecure_channel(f"127.0.0.1:{port}") as channel,
    ):
        request = predict_request("sleeper", {"seconds": [30.0]}).SerializeToString()
        running = channel.unary_unary(PREDICT).future(request)
        while "textapps_batch_rows_count{" not in scraped(server):
            time.sleep(0.01)
        server.process.send_signal(signal.SIGINT)
        time.sleep(0.3)
        assert server.process.poll() is None
        server.process.send_signal(signal.SIGINT)
        assert server.process.wait(20) == 130
        assert running.exception(PATIENCE_SECONDS)
