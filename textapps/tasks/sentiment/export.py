"""The SavedModel of a classifier: text in, label out."""

from pathlib import Path

import tensorflow as tf

from textapps.exporting.archive import DEFAULT_SIGNATURE, EXPLAIN, Endpoint
from textapps.exporting.config import ExportConfig
from textapps.exporting.export import export_model
from textapps.exporting.steady import steady_case
from textapps.exporting.verification import Case
from textapps.savedmodel.limits import CallLimits
from textapps.tasks.limits import attention_weights, position_bytes
from textapps.tasks.sentiment.explain import STEPS
from textapps.tasks.sentiment.predictor import SentimentClassifier

LONGEST_TEXT, LONGEST_LABEL = 1_000_000, 10_000  # characters
# Of different lengths, so that batches have padding.
EXAMPLES = (
    "A wonderful film: I loved every minute of it.",
    "Dull, far too long, and badly acted.",
    "It was not bad at all, but I would not see it again. " * 7,
    "",
)
# Without repetition, which makes many numbers nearly equal: see `steady_case`.
EXPLAINED = (
    "A wonderful film: I loved every minute of it.",
    "",
    "Du\u00adll, far too long, and badly acte\u0301d!<br />Not even <i>that</i> good\u2026",
)


def export_saved_model(
    classifier: SentimentClassifier, models_dir: Path, config: ExportConfig
) -> Path:
    """Publishes the next version of the export and returns its directory.

    Signatures: `serving_default`, text → label, probability and scores; `explain`, text and label
    → the share of each word in the log-odds of the label; `length`, text → how many tokens it has,
    and how many are read.

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
        made = [Case(name, inputs, endpoint.answer(inputs)) for name, endpoint in endpoints.items()]
        if config.explain:
            labels = ["", classifier.labels[0], classifier.labels[-1]]
            made.append(steady_case(EXPLAIN, explain, {"text": EXPLAINED, "label": labels}))
        return made

    explain = Endpoint(
        classifier.word_shares,
        [*text, tf.TensorSpec([None], tf.string, "label")],
        _explained(classifier),
    )
    return export_model(
        {**endpoints, **({EXPLAIN: explain} if config.explain else {})},
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


def _explained(classifier: SentimentClassifier) -> CallLimits:
    """Each step of the integral keeps what every position computed, for the way back."""
    config = classifier.config
    stride = config.model.stride
    positions = -(-config.preprocessor.max_tokens // stride)
    own = 16 * config.model.embedding_units
    own += 2 * position_bytes(config.backbone, positions) // stride
    return _limits(classifier).model_copy(
        update={
            "longest": {"text": LONGEST_TEXT, "label": LONGEST_LABEL},
            "cell_bytes": STEPS * own // 2,
        }
    )
