"""`textapps export verify`: whether exports are as they were written."""

from collections.abc import Iterator
from pathlib import Path

import click

from textapps.cli import console
from textapps.cli.options import examples, talk_options
from textapps.core.errors import DataError, ExportError

SHOWN = 5  # added files
MODEL = "saved_model.pb"


@click.group("export")
def export_group() -> None:
    """Check exported models; `textapps TASK export` writes them."""


@export_group.command("verify", epilog=examples("textapps export verify models/exported"))
@click.argument("directory", metavar="DIR", type=click.Path(path_type=Path))
@talk_options
def verify_command(directory: Path) -> None:
    """Compare the files of exports with the checksums in their manifests.

    DIR is an export, such as models/exported/sentiment/1, or a directory of exports. A missing or
    changed file is an error. A warning names files that the export did not have.
    """
    from textapps.savedmodel.manifest import MANIFEST, added_files, read_manifest

    exports = _find(directory)
    if not exports:
        raise DataError(f"there is no export of textapps in {directory}: it has no {MANIFEST}")
    problems = [
        f"{export}: there is no {MANIFEST}, so its files cannot be compared"
        for export in sorted({path.parent for path in _visible(directory, MODEL)} - {*exports})
    ]
    for export in exports:
        try:
            manifest = read_manifest(export)
        except ExportError as error:
            problems.append(str(error))
        else:
            click.echo(f"{export}: {len(manifest.sha256)} files are as they were exported")
            if added := added_files(export, manifest):
                more = f", and {len(added) - SHOWN:,} more" if len(added) > SHOWN else ""
                names = ", ".join(added[:SHOWN])
                console.LOGGER.warning("%s: not of the export: %s%s", export, names, more)
    if problems:
        raise DataError("; ".join(problems))


def _find(directory: Path) -> list[Path]:
    """The exports in a directory and below it, in order, without those being written."""
    from textapps.savedmodel.manifest import LITE_MANIFEST, MANIFEST

    extra = Path(MANIFEST).parent.name
    return sorted(
        path.parent.parent if path.parent.name == extra else path.parent
        for path in _visible(directory, LITE_MANIFEST)
    )


def _visible(directory: Path, name: str) -> Iterator[Path]:
    """The files of a name in a directory and below it, but for hidden directories."""
    for path in directory.rglob(name):
        if not any(part.startswith(".") for part in path.relative_to(directory).parts):
            yield path
