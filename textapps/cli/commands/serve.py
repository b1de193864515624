"""`textapps serve`: exported models over HTTP."""

import os
import signal
import sys
from pathlib import Path

import click

from textapps.cli import console
from textapps.cli.options import examples, talk_options
from textapps.core.errors import ConfigurationError, TextappsError

TOKEN_VARIABLE = "TEXTAPPS_SERVE_TOKEN"
# What the extra [serve] brings.
PACKAGES = ("httptools", "prometheus_client", "starlette", "uvicorn")


@click.command(
    "serve",
    epilog=examples(
        "textapps serve models/exported",
        "textapps serve models/exported --host 0.0.0.0 --token-file token.txt",
        """curl localhost:8501/v1/models/sentiment:predict -d '{"instances": ["What a film!"]}'""",
    ),
)
@click.argument("directory", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8501,
    show_default=True,
    help="The port to listen on, 0 for any that is free.",
)
@click.option(
    "--max-batch-size",
    type=click.IntRange(min=1),
    default=64,
    show_default=True,
    help="Most rows in a model call.",
)
@click.option(
    "--batch-timeout-ms",
    type=click.FloatRange(min=0),
    default=0.0,
    show_default=True,
    help="How long a request may wait for others that share its model call.",
)
@click.option(
    "--max-queue",
    type=click.IntRange(min=1),
    default=1000,
    show_default=True,
    help="Requests that may wait for each signature; further ones get 503.",
)
@click.option(
    "--deadline-ms",
    type=click.FloatRange(min=0, min_open=True),
    default=30_000.0,
    show_default=True,
    help="A request that has no answer after this time gets 504.",
)
@click.option(
    "--max-body-mb",
    type=click.FloatRange(min=0, min_open=True),
    default=16.0,
    show_default=True,
    help="Largest body of a request; a larger one gets 413.",
)
@click.option(
    "--token-file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A file with the bearer token that every request needs, except those for /health/* and "
    "for the files of the web page, which asks for the token.  "
    f"[default: the environment variable {TOKEN_VARIABLE}, else no token]",
)
@click.option(
    "--drain-seconds",
    type=click.IntRange(min=0),
    default=30,
    show_default=True,
    help="Time that running requests have to finish after SIGTERM.",
)
@talk_options
def serve_command(
    directory: Path,
    host: str,
    port: int,
    max_batch_size: int,
    batch_timeout_ms: float,
    max_queue: int,
    deadline_ms: float,
    max_body_mb: float,
    token_file: Path | None,
    drain_seconds: int,
) -> None:
    """Serve exported models over HTTP.

    The interface is TensorFlow Serving's REST interface; at / there is a web page. DIR holds
    <model>/<version>/saved_model.pb, such as models/exported. New versions are loaded as they
    appear. Without --quiet, a line of JSON is logged on stderr for each request.
    """
    try:
        from textapps.serving.server import serve
        from textapps.serving.settings import Settings
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        if package not in PACKAGES:
            raise
        raise TextappsError(
            f"serving needs {package}, which is not installed: pip install 'textapps[serve]'"
        ) from None
    settings = Settings(
        host=host,
        port=port,
        max_batch_size=max_batch_size,
        batch_timeout_ms=batch_timeout_ms,
        max_queue=max_queue,
        deadline_ms=deadline_ms,
        max_body_bytes=max(1, round(max_body_mb * 2**20)),
        token=_token(token_file),
        drain_seconds=drain_seconds,
    )
    ended_by = serve(directory, settings, None if console.is_quiet() else sys.stderr, console.say)
    console.say("stopped")
    sys.stderr.flush()
    # At once: a model call whose client has gone would keep the process alive until it ends.
    os._exit(130 if ended_by == signal.SIGINT else 0)


def _token(file: Path | None) -> str | None:
    """The token of the file, else of the environment; ConfigurationError if it cannot be used."""
    if file is None:
        where, token = TOKEN_VARIABLE, os.environ.get(TOKEN_VARIABLE, "")
        if not token:
            return None
    else:
        where, token = str(file), file.read_text(encoding="utf-8", errors="replace").strip()
    if not (token.isascii() and token.isprintable()) or " " in token or not token:
        raise ConfigurationError(
            f"the token in {where} should be printable ASCII without spaces, such as the output "
            "of `openssl rand -hex 32`"
        )
    return token
