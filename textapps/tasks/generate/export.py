"""The SavedModel of a generator: seed text in, text out, at once or piece by piece."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from textapps.exporting.config import ExportConfig
from textapps.exporting.export import export_model
from textapps.tasks.generate.export_cases import make_cases
from textapps.tasks.generate.signatures import Signatures
from textapps.training.evaluations import read_metrics

if TYPE_CHECKING:
    from textapps.tasks.generate.task import TextGenerator


def export(generator: "TextGenerator", models_dir: Path | str, config: ExportConfig) -> Path:
    """Publishes the next version of the export and returns its directory.

    Raises:
        ExportError: it cannot be written, or does not answer as the run does.
    """
    signatures = Signatures(generator)
    return export_model(
        signatures.endpoints,
        track=(),
        manifest_fields={
            "task": generator.config.task,
            "backbone": generator.config.backbone.kind,
            "preset": generator.config.preset,
            "state": signatures.state,
            "decoding": generator.config.decoding.model_dump(),
            "metrics": read_metrics(generator.run),
        },
        cases=partial(make_cases, generator, signatures),
        models_dir=models_dir,
        config=config,
    )
