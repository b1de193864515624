"""Evaluating a pre-trained encoder by its language model."""

from textapps.datasets.texts.examples import LabelledTexts
from textapps.tasks.evaluation import costs, summarize
from textapps.tasks.sentiment.pretraining.data import validation_batches
from textapps.tasks.sentiment.pretraining.predictor import PretrainedEncoder
from textapps.tasks.task import Evaluation


def evaluate(
    encoder: PretrainedEncoder, texts: LabelledTexts, split: str
) -> Evaluation[LabelledTexts]:
    """The mean surprise of an encoder at the tokens of texts, by the whole vocabulary."""
    nats = encoder.nats(validation_batches(encoder.config, encoder.preprocessor, texts))
    metrics = {"nats_per_token": nats, **costs(encoder)}
    return Evaluation(
        examples=texts, summary=summarize(encoder.run, texts, split, metrics), arrays={}
    )
