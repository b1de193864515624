"""The SavedModel of a classifier: text in, label out."""

from pathlib import Path

import tensorflow as tf

from textapps.exporting.archive import DEFAULT_SIGNATURE, Endpoint
from textapps.exporting.config import ExportConfig
from textapps.exporting.export import export_model
from textapps.exporting.verification import Case
from textapps.tasks.sentiment.predictor import SentimentClassifier

# Of different lengths, so that batches have padding.
EXAMPLES = (
    "A wonderful film: I loved every minute of it.",
    "Dull, far too long, and badly acted.",
    "It was not bad at all, but I would not see it again. " * 7,
    "",
)


def export_saved_model(
    classifier: SentimentClassifier, models_dir: Path, config: ExportConfig
) -> Path:
    """Publishes the next version of the export and returns its directory.

    Raises:
        ExportError: it cannot be written, or its answers differ from the run's.
    """

    def cases() -> list[Case]:
        outputs = {k: v.numpy() for k, v in classifier.answer(tf.constant(EXAMPLES)).items()}
        return [Case(DEFAULT_SIGNATURE, {"text": list(EXAMPLES)}, outputs)]

    return export_model(
        {DEFAULT_SIGNATURE: Endpoint(classifier.answer, classifier.answer.input_signature)},
        track=classifier.preprocessor.resources,
        manifest_fields=classifier.manifest_fields,
        cases=cases,
        models_dir=models_dir,
        config=config,
    )
