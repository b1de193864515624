"""The ASGI application and its routes."""

import json

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from textapps.serving.access_log import AccessLog
from textapps.serving.exchange import Receive, Scope, Send
from textapps.serving.failures import Failures
from textapps.serving.gate import Gate
from textapps.serving.held import Held
from textapps.serving.metrics import CONTENT_TYPE, Metrics
from textapps.serving.operations import Operations
from textapps.serving.page import page_routes
from textapps.serving.repository import Repository
from textapps.serving.rest import Rest
from textapps.serving.settings import Settings


def create_app(
    settings: Settings,
    repository: Repository,
    metrics: Metrics | None = None,
    access_log: AccessLog | None = None,
    held: Held | None = None,
) -> Operations:
    """The ASGI application that serves a repository, which the caller starts and stops.

    Paths under /v1 bypass Starlette: its middleware and routing would cost a fifth of the time
    that a request to a small model takes here.
    """
    metrics = metrics or Metrics()
    metrics.watch_queues(repository.loaded)

    async def live(request: Request) -> Response:
        return JSONResponse({"status": "live"})

    async def ready(request: Request) -> Response:
        states = repository.states()
        waiting = "loading" if "loading" in states.values() or not states else "failed"
        state = "ready" if repository.ready else waiting
        return _health(state, {"models": states})

    async def model_ready(request: Request) -> Response:
        name = request.path_params["model"]
        state = repository.states().get(name)
        if state is None:
            raise HTTPException(404)
        return _health(state, {})

    async def show_metrics(request: Request) -> Response:
        return Response(metrics.text(), headers={"content-type": CONTENT_TYPE})

    others = Starlette(
        exception_handlers={HTTPException: _refuse, Exception: _refuse},
        routes=[
            Route("/health/live", live),
            Route("/health/ready", ready),
            Route("/health/ready/{model}", model_ready),
            Route("/monitoring/prometheus/metrics", show_metrics),
            *page_routes(),
        ],
    )
    others.router.redirect_slashes = False
    failures = Failures(settings.log_inputs)
    rest = Rest(settings, repository, failures)

    async def route(scope: Scope, receive: Receive, send: Send) -> None:
        application = rest if scope["path"][:4].lower() == "/v1/" else others
        await application(scope, receive, send)

    log = access_log or AccessLog(None)
    held = held or Held(settings.max_held_bytes)
    return Operations(route, Gate(settings), log, metrics, failures, held)


def _health(state: str, more: dict[str, object]) -> Response:
    # What failed is tried again after a while, if at all, so clients need not wait.
    headers = {"retry-after": "1"} if state == "loading" else None
    # In ASCII, because names of folders need not be UTF-8.
    content = json.dumps({"status": state, **more})
    code = 200 if state == "ready" else 503
    return Response(content, code, headers, media_type="application/json")


async def _refuse(request: Request, error: Exception) -> Response:
    """Answers an unknown path, a wrong method or an unexpected error, which Operations logs."""
    what = f"{request.method} {request.url.path[:200]}"
    if not isinstance(error, HTTPException):
        return JSONResponse({"error": f"{what}: internal error"}, 500)
    problem = "the method is not allowed" if error.status_code == 405 else "there is nothing"
    return JSONResponse({"error": f"{what}: {problem} here"}, error.status_code, error.headers)
