"""One export from endpoints to a published, verified version."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import tensorflow as tf

from textapps.core.errors import ExportError
from textapps.core.notices import notice
from textapps.exporting.archive import Endpoint, write_saved_model
from textapps.exporting.config import ExportConfig
from textapps.exporting.publish import publish
from textapps.exporting.verification import Case, verify
from textapps.exporting.warmup import write_warmup_requests
from textapps.savedmodel.errors import explain
from textapps.savedmodel.graph import COMPILED
from textapps.savedmodel.manifest import Manifest, checksums


def export_model(
    endpoints: Mapping[str, Endpoint],
    *,
    track: Iterable[Any],
    manifest_fields: Mapping[str, Any],
    cases: Callable[[], Sequence[Case]],
    models_dir: Path | str,
    config: ExportConfig,
    tensorflow_text: bool = False,
) -> Path:
    """Write, verify and publish `<models_dir>/exported/<name>/<next version>/`.

    `manifest_fields` are those fields of `Manifest` that only the task knows: task, backbone,
    preset, labels, metrics and the like. `cases` is called if there is something to verify or to
    warm up: every endpoint needs a case, which also gives the rows of its warm-up requests, and
    the default one a case of two or more rows; a case holds what the run itself answered.

    Returns the published directory. Raises ExportError where something cannot be written or
    does not verify; then nothing is published.
    """
    compiled = [key for key in endpoints if key.endswith(COMPILED)]
    if compiled:
        notice("XLA compiles %s: this takes a minute or two", ", ".join(compiled))
    asked = cases() if config.verify or config.warmup else ()
    without = endpoints.keys() - {case.signature for case in asked}
    if asked and without:
        raise ExportError(f"no verification case for the endpoint {', '.join(sorted(without))}")
    name = config.name or manifest_fields["task"]

    def write(directory: Path) -> None:
        try:
            signatures = write_saved_model(directory, endpoints, track)
            if config.warmup:
                write_warmup_requests(directory, name, signatures, asked)
        except tf.errors.OpError as error:  # a full disk, as TensorFlow says it
            raise ExportError(f"could not write the export: {explain(error)}") from error
        manifest = Manifest(
            name=name,
            signatures=signatures,
            limits={key: endpoint.limits for key, endpoint in endpoints.items()},
            sha256=checksums(directory),
            **manifest_fields,
        )
        manifest.write(directory)
        if config.verify:
            verify(directory, asked, tensorflow_text=tensorflow_text)

    return publish(write, Path(models_dir) / "exported" / name)
