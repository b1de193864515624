"""A server in this process, and the page of it in a headless Chromium."""

import asyncio
import base64
import shutil
import socket
import threading
import wave
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
import uvicorn

from tests.serving import models
from tests.serving.asking import Built, repository_of
from textapps.serving.app import create_app
from textapps.serving.exchange import Message, Receive, Scope, Send
from textapps.serving.settings import Settings

CHROMIUM = shutil.which("chromium")
TONE_HZ = 1000
PATIENCE_MS = 30_000  # a machine that has much else to do
# What the page of most tests shows: name → model.
SERVED = {
    "echo": "lengths",
    "opinions": "classifier",
    "sums": "sums",
    "tales": "generator",
    "tongues": "translator",
    "words": "speech",
}


class ServedPage:
    """The application, with some models, on a free port; stopped at the end of a context.

    Streams wait `pause_seconds` before each event. `models` is the directory; `poll` looks at it.
    """

    def __init__(
        self,
        directory: Path,
        built: Built,
        served: dict[str, str],
        token: str | None = None,
        versions: int = 1,
    ) -> None:
        self.models = directory
        self.pause_seconds = 0.0
        self._built = built
        repository = repository_of(directory, built, versions=versions, **served)
        self.poll = repository.poll
        self._app = create_app(Settings(token=token), repository)
        self._socket = socket.create_server(("127.0.0.1", 0))
        config = uvicorn.Config(
            self._slowly, interface="asgi3", lifespan="off", ws="none", log_config=None
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, args=([self._socket],))

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._socket.getsockname()[1]}"

    def publish(self, name: str, version: int, *model: Any) -> None:
        """A version of a model appears and is loaded."""
        models.copy(self._built(*model), self.models / name / str(version))
        self.poll()

    def remove(self, name: str, version: int | None = None) -> None:
        """A model, or one version of it, goes."""
        shutil.rmtree(self.models / name / (str(version) if version else ""))
        self.poll()

    def __enter__(self) -> "ServedPage":
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.should_exit = True
        self._thread.join()
        self._socket.close()

    async def _slowly(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def wait_and_send(message: Message) -> None:
            await asyncio.sleep(self.pause_seconds)
            await send(message)

        streams = scope["path"].endswith(":stream")
        await self._app(scope, receive, wait_and_send if streams else send)


def arguments(microphone: Path) -> list[str]:
    """How Chromium is started: quiet, and hearing a file, over and over, as its microphone."""
    return [
        "--no-sandbox",
        "--disable-gpu",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--no-first-run",
        "--use-fake-ui-for-media-stream",
        "--use-fake-device-for-media-stream",
        f"--use-file-for-fake-audio-capture={microphone}",
    ]


def tone(path: Path, rate_hz: int, channels: int = 1, seconds: float = 1.0) -> Path:
    """A WAV file of 16-bit PCM with a sine of TONE_HZ in its first channel."""
    time_s = np.arange(round(seconds * rate_hz)) / rate_hz
    samples = np.zeros([len(time_s), channels], "<i2")
    samples[:, 0] = np.round(16_000 * np.sin(2 * np.pi * TONE_HZ * time_s))
    with wave.open(str(path), "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(2)
        file.setframerate(rate_hz)
        file.writeframes(samples.tobytes())
    return path


def show(page: Any, site: ServedPage, model: str) -> Any:
    """The panel of a model."""
    page.goto(f"{site.url}/#{model}")
    panel = page.get_by_role("region", name=model, exact=True)
    panel.wait_for()
    return panel


def look(page: Any) -> None:
    """Have the page ask now what is served, as it does when it comes to the front."""
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")


def predictions(page: Any, *, explained: bool = False) -> list[dict[str, Any]]:
    """What will have been asked of :predict; explanations of the answers only if asked for."""
    asked: list[dict[str, Any]] = []

    def note(request: Any) -> None:
        if not request.url.endswith(":predict"):
            return
        body = request.post_data_json
        if explained or body.get("signature_name") != "explain":
            asked.append(body)

    page.on("request", note)
    return asked


def encoded(path: Path) -> str:
    """A file in base64."""
    return base64.b64encode(path.read_bytes()).decode()
