"""`textapps TASK export`."""

import json
from pathlib import Path

import click

from textapps.cli import console
from textapps.cli.field_options import collect_flags, field_options
from textapps.cli.loading import load_run
from textapps.cli.options import (
    Choice,
    Decorator,
    examples,
    run_options,
    talk_options,
    together,
)
from textapps.core.names import TaskName
from textapps.tasks.registry import get_about


def command(task: TaskName) -> click.Command:
    """Exports a run of the task."""
    described = get_about(task)
    help = described.export

    @click.command("export", help=help.text, epilog=examples(*help.examples))
    @_format_option(described.formats)
    @field_options(task, "export")
    @run_options
    @talk_options
    def export(run: str | None, models_dir: Path, format_: str = described.formats[0]) -> None:
        options = collect_flags("export")
        path = load_run(task, models_dir, run).export(models_dir, format=format_, **options)
        if format_ != described.formats[0]:
            _say_of_files(path)
        click.echo(path)

    return export


def _format_option(formats: tuple[str, ...]) -> Decorator:
    if len(formats) == 1:
        return together()
    return click.option(
        "--format",
        "format_",
        type=Choice("format", formats),
        default=formats[0],
        show_default=True,
        help="A SavedModel for a server, float and int8 files for LiteRT on a small device, or an "
        "int8 file and C for a microcontroller (preset micro).",
    )


def _say_of_files(directory: Path) -> None:
    manifest = json.loads((directory / "textapps.json").read_bytes())
    accuracy = manifest.get("accuracy", {})
    for kind, file in manifest["files"].items():
        known = ""
        if kind in accuracy:
            known = f", accuracy {accuracy[kind]:.4f} (the run: {accuracy['run']:.4f})"
        console.say(
            f"{kind.replace('_', ' ')}: {file['bytes'] / 1_000:,.0f} kB, "
            f"{file['milliseconds_per_clip']:.1f} ms a clip{known}"
        )
    if accuracy:
        pairs = manifest["int8_against_float"]
        console.say(
            f"of {manifest['evaluated_on']['examples']:,} clips float alone is right on "
            f"{pairs['only_float_right']}, int8 alone on {pairs['only_int8_right']}"
        )
