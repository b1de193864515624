"""The SavedModel of a generator: seed text in, text out, at once or piece by piece."""

from functools import partial
from pathlib import Path

from textapps.decoding.config import option_schemas
from textapps.exporting.config import ExportConfig
from textapps.exporting.export import export_model
from textapps.tasks.generate.export_cases import make_cases
from textapps.tasks.generate.predictor import TextGenerator
from textapps.tasks.generate.signatures import Signatures


def export_saved_model(generator: TextGenerator, models_dir: Path, config: ExportConfig) -> Path:
    """Publishes the next version of the export and returns its directory.

    Raises:
        ExportError: it cannot be written, or its answers differ from the run's.
    """
    signatures = Signatures(generator, config.explain, config.compiled)
    decoding = generator.config.decoding.model_dump()
    return export_model(
        signatures.endpoints,
        track=(),
        manifest_fields={
            **generator.manifest_fields,
            **generator.data_fields(config.examples),
            "state": signatures.state,
            "compiled": signatures.compiled,
            "decoding": decoding,
            "options": option_schemas(generator.config.decoding),
        },
        cases=partial(make_cases, generator, signatures),
        models_dir=models_dir,
        config=config,
    )
