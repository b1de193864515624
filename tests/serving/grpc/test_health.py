"""Tests of grpc.health.v1, with the client of the library."""

import shutil
import threading
import time
from pathlib import Path

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from tests.serving import models
from tests.serving.asking import Built
from tests.serving.grpc.asking import PATIENCE_SECONDS, Served
from textapps.serving.repository import Repository
from textapps.serving.settings import Settings

Status = health_pb2.HealthCheckResponse


def check(served: Served, service: str = "") -> str:
    stub = health_pb2_grpc.HealthStub(served.channel)
    request = health_pb2.HealthCheckRequest(service=service)
    return str(Status.ServingStatus.Name(stub.Check(request, timeout=PATIENCE_SECONDS).status))


def test_check_follows_readiness(built: Built, directory: Path) -> None:
    repository = Repository(directory)
    with Served(repository) as served:
        assert check(served) == "NOT_SERVING"
        with pytest.raises(grpc.RpcError) as caught:
            check(served, "m")
        assert caught.value.code() is grpc.StatusCode.NOT_FOUND
        models.copy(built("lengths"), directory / "m" / "1")
        (directory / "broken" / "1").mkdir(parents=True)
        (directory / "broken" / "1" / "saved_model.pb").write_bytes(b"damaged")
        repository.poll()
        assert (check(served, "m"), check(served, "broken")) == ("SERVING", "NOT_SERVING")
        assert check(served) == "SERVING"
        assert check(served, "tensorflow.serving.PredictionService") == "SERVING"
        shutil.rmtree(directory / "m")
        repository.poll()
        assert check(served) == "NOT_SERVING"


def test_watch_tells_of_changes_and_of_the_end(built: Built, directory: Path) -> None:
    repository = Repository(directory)
    heard: list[str] = []
    first = threading.Event()

    with Served(repository, Settings(poll_seconds=0.01)) as served:
        stub = health_pb2_grpc.HealthStub(served.channel)
        stream = stub.Watch(health_pb2.HealthCheckRequest(service="m"), timeout=PATIENCE_SECONDS)

        def listen() -> None:
            for answer in stream:
                heard.append(Status.ServingStatus.Name(answer.status))
                first.set()

        listener = threading.Thread(target=listen)
        listener.start()
        assert first.wait(PATIENCE_SECONDS)
        models.copy(built("lengths"), directory / "m" / "1")
        repository.poll()
        while heard[-1] != "SERVING":
            assert listener.is_alive()
            time.sleep(0.01)
        served.run(served.server.stop(PATIENCE_SECONDS))
        listener.join(PATIENCE_SECONDS)
    if len(heard) == 4:
        assert heard.pop(1) == "NOT_SERVING"  # while it was loaded, if anybody looked
    assert heard == ["SERVICE_UNKNOWN", "SERVING", "NOT_SERVING"]
