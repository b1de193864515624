"""The SavedModel of a classifier: text in, label out."""

from pathlib import Path

from textapps.exporting.archive import DEFAULT_SIGNATURE, Endpoint
from textapps.exporting.config import ExportConfig
from textapps.exporting.export import export_model
from textapps.exporting.verification import Case
from textapps.savedmodel.limits import CallLimits
from textapps.tasks.limits import attention_weights
from textapps.tasks.sentiment.predictor import SentimentClassifier

LONGEST_TEXT = 1_000_000  # characters
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

    Signatures: `serving_default`, text → label, probability and scores; `length`, text → how many
    tokens it has, and how many are read.

    Raises:
        ExportError: it cannot be written, or its answers differ from the run's.
    """

    text, limits = classifier.answer.input_signature, _limits(classifier)
    endpoints = {
        DEFAULT_SIGNATURE: Endpoint(classifier.answer, text, limits),
        "length": Endpoint(classifier.length, text, limits),
    }

    def cases() -> list[Case]:
        inputs = {"text": list(EXAMPLES)}
        return [Case(name, inputs, endpoint.answer(inputs)) for name, endpoint in endpoints.items()]

    return export_model(
        endpoints,
        track=classifier.preprocessor.resources,
        manifest_fields=classifier.manifest_fields | classifier.data_fields(config.examples),
        cases=cases,
        models_dir=models_dir,
        config=config,
    )


def _limits(classifier: SentimentClassifier) -> CallLimits:
    config = classifier.config
    tokens = config.preprocessor.max_tokens
    units = config.model.embedding_units + config.backbone.units
    return CallLimits(
        longest={"text": LONGEST_TEXT},
        counted=2 * tokens,  # a word and the space before it are two characters or more
        row_bytes=10_000,
        cell_bytes=4 * units + attention_weights(config.backbone, tokens) // 16,
    )
