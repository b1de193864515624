import http.server
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from textapps.core.errors import DataError
from textapps.datasets.tfds import download, reachable


def test_unknown_name_suggests_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(
        DataError, match=r"'imdb_review' is neither a file.*did you mean 'imdb_reviews'"
    ):
        download("imdb_review", tmp_path)
    with pytest.raises(DataError, match="see textapps data list"):
        download("qqqqqqqqqqqq", tmp_path)


def test_unknown_configuration_is_a_data_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="imdb_reviews/nothing could not be downloaded"):
        download("imdb_reviews/nothing", tmp_path)


def test_without_network_a_download_fails_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    over = threading.Event()

    def hang(*_: object) -> None:
        over.wait(30)
        raise OSError

    # The look-up of a name can hang longer than any timeout that sockets know.
    monkeypatch.setattr(socket, "getaddrinfo", hang)
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    start = time.monotonic()
    with pytest.raises(DataError, match=r"imdb_reviews: no network.*--data-dir") as caught:
        download("imdb_reviews", tmp_path)
    assert time.monotonic() - start < 10
    assert caught.value.exit_code == 3
    assert "\n" not in str(caught.value)
    assert not list(tmp_path.iterdir())
    over.set()


@pytest.fixture
def server(request: pytest.FixtureRequest) -> Iterator[str]:
    """Answers every request with the status that the test gives."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self.send_response(request.param)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as one:
        thread = threading.Thread(target=one.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{one.server_port}/deep/file.zip"
        one.shutdown()
        thread.join()


@pytest.mark.parametrize(
    ("server", "answer"), [(200, True), (403, True), (404, True), (503, False)], indirect=["server"]
)
def test_reachable(server: str, answer: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    assert reachable(server) is answer


def test_not_reachable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        port = silent.getsockname()[1]
        assert not reachable(f"http://127.0.0.1:{port}/")  # refused: nobody listens
        silent.listen()
        start = time.monotonic()
        assert not reachable(f"http://127.0.0.1:{port}/", seconds=0.3)  # listens, never answers
        assert time.monotonic() - start < 3
