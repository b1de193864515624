"""`textapps serve`: exported models over HTTP and gRPC."""

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from textapps.cli import console
from textapps.cli.options import Choice, Decorator, FiniteRange, examples, talk_options, together
from textapps.core.errors import ConfigurationError, TextappsError
from textapps.core.keys import keys_of
from textapps.serving.batching import read_batching
from textapps.serving.settings import Settings

TOKEN_VARIABLE = "TEXTAPPS_SERVE_TOKEN"
# What the extra [serve] brings.
PACKAGES = (
    "grpc",
    "grpc_health",
    "httptools",
    "orjson",
    "prometheus_client",
    "starlette",
    "uvicorn",
)


def _setting_options() -> Decorator:
    """An option for each field of the settings that has a description."""
    decorators = []
    for key in keys_of(Settings):
        option = f"--{key.name.replace('_', '-')}"
        attributes: dict[str, Any] = {"default": key.default, "show_default": True}
        if key.kind is bool and key.default:
            option = f"{option}/--no-{option.removeprefix('--')}"
        elif key.kind is bool:
            attributes = {"default": False, "is_flag": True}
        elif key.kind is tuple:
            attributes = {"multiple": True, "metavar": "NAME"}
        else:
            attributes["type"] = (
                Choice(key.name, key.choices) if key.choices else _range(key.name, key.kind)
            )
        if key.description:
            decorators.append(click.option(option, key.name, help=key.description, **attributes))
    return together(*decorators)


def _range(name: str, kind: type) -> Any:
    """What click checks of a number."""
    bounds = {
        bound: getattr(each, bound)
        for each in Settings.model_fields[name].metadata
        for bound in ("ge", "gt", "le")
        if hasattr(each, bound)
    }
    if not bounds:
        return kind
    lowest = bounds.get("ge", bounds.get("gt"))
    kinds = {int: click.IntRange, float: FiniteRange}
    return kinds[kind](min=lowest, max=bounds.get("le"), min_open="gt" in bounds)


@click.command(
    "serve",
    epilog=examples(
        "textapps serve models/exported",
        "textapps serve --pretrained",
        "textapps serve models/exported --host 0.0.0.0 --token-file token.txt",
        "textapps serve models/exported --grpc-port 8500",
        """curl localhost:8501/v1/models/sentiment:predict -d '{"instances": ["What a film!"]}'""",
    ),
)
@click.argument("directory", metavar="[DIR]", required=False, type=click.Path(path_type=Path))
@click.option(
    "--pretrained",
    is_flag=True,
    help="Serve the models that come with the package instead of a folder. Their exports are made "
    "once and kept in TEXTAPPS_CACHE_DIR, else XDG_CACHE_HOME, else ~/.cache.",
)
@_setting_options()
@click.option(
    "--batching-file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A file for TensorFlow Serving's --batching_parameters_file: requests to all models share "
    "calls, as it says.",
)
@click.option(
    "--token-file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A file with the bearer token that every request needs, except those for /health/* and "
    "for the files of the web page, which asks for the token.  "
    f"[default: the environment variable {TOKEN_VARIABLE}, else no token]",
)
@talk_options
@click.pass_context
def serve_command(
    ctx: click.Context,
    /,
    directory: Path | None,
    pretrained: bool,
    batching_file: Path | None,
    token_file: Path | None,
    **options: Any,
) -> None:
    """Serve exported models over HTTP and gRPC.

    The interfaces are those of TensorFlow Serving, REST and with --grpc-port gRPC; at / there is a
    web page. DIR holds
    <model>/<version>/saved_model.pb, such as models/exported. New versions are loaded as they
    appear. Without --quiet, a line of JSON is logged on stderr for each request.
    """
    if (directory is None) != pretrained:
        raise click.UsageError("give either DIR, such as models/exported, or --pretrained")
    try:
        from textapps.serving.server import serve

        if options["grpc_port"]:
            import textapps.serving.grpc.server  # noqa: F401
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        if package not in PACKAGES:
            raise
        raise TextappsError(
            f"serving needs {package}, which is not installed: pip install 'textapps[serve]'"
        ) from None
    if batching_file is not None:
        for name, value in _batching(batching_file).items():
            if ctx.get_parameter_source(name) is not ParameterSource.COMMANDLINE:
                options[name] = value
    settings = Settings(token=_token(token_file), **options)
    access_log = None if console.is_quiet() else sys.stderr
    with _pretrained() if directory is None else nullcontext(directory) as served:
        ended_by = serve(served, settings, access_log, _say)
    _say("stopped")
    with suppress(OSError, ValueError):
        sys.stderr.flush()
    # At once: a model call whose client has gone would keep the process alive until it ends.
    os._exit(130 if ended_by == signal.SIGINT else 0)


def _say(text: str) -> None:
    """`console.say` of a server, which goes on where stderr cannot be written."""
    with suppress(OSError, ValueError):
        console.say(text)


@contextmanager
def _pretrained() -> Iterator[Path]:
    """The folder of the exports of the pretrained models, which are written meanwhile."""
    from textapps.cli.pretrained_exports import PretrainedExports

    exports = PretrainedExports()
    process = exports.begin()
    try:
        yield exports.directory
    finally:
        if process is not None:
            process.terminate()


def _batching(file: Path) -> dict[str, Any]:
    settings, ignored = read_batching(file.read_text(encoding="utf-8", errors="replace"), str(file))
    if ignored:
        console.say(f"of {file} these do not matter here: {', '.join(ignored)}")
    return settings


def _token(file: Path | None) -> str | None:
    """The token of the file, else of the environment; ConfigurationError if it cannot be used."""
    if file is not None:
        where, token = str(file), file.read_text(encoding="utf-8", errors="replace").strip()
    elif TOKEN_VARIABLE in os.environ:
        where, token = TOKEN_VARIABLE, os.environ[TOKEN_VARIABLE]
    else:
        return None
    if not (token.isascii() and token.isprintable()) or " " in token or not token:
        raise ConfigurationError(
            f"the token in {where} should be printable ASCII without spaces, such as the output "
            "of `openssl rand -hex 32`"
        )
    return token
