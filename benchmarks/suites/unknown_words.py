"""Scores by which a recogniser may tell commands from other words."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from benchmarks.benchmark import Benchmark, Context
from benchmarks.results import Figures, rounded
from textapps.core.errors import ConfigurationError

SHRINKAGE = 0.1  # of the covariance of embeddings towards a multiple of the identity

Floats = NDArray[np.floating]


class UnknownWords(Benchmark):
    """For each score a threshold is chosen on validation; the test split says what it is worth.

    `false_accepts` is the share of clips of other words that are taken for a command, `recall` the
    share of clips of commands that are taken for some command, `right` for the right one.
    """

    data: str | None = Field(None, description="a folder of Speech Commands")
    run: str = Field(description="the run that recognises")
    share: float = Field(description="of clips of other words to accept on validation, at most")

    def measure(self, context: Context) -> Figures:
        if self.data is None:
            raise ConfigurationError(f"{self.name} needs --data DIR (see benchmarks/README.md)")
        from textapps import load
        from textapps.evaluation.metrics.rejection import threshold_for
        from textapps.tasks.speech.data import load_words
        from textapps.tasks.speech.negatives import embedded
        from textapps.tasks.speech.vocabulary import with_data

        recognizer = with_data(load("speech", self.run), self.data)
        labels = recognizer.labels
        columns = [labels.index(command) for command in recognizer.commands]
        unknown = labels.index("unknown")
        splits = {}
        for name in ("train", "validation", "test"):
            clips = load_words(recognizer.config, name, labels)
            splits[name] = embedded(recognizer, clips.waveforms()), clips.labels
        train, truth = splits["train"]
        prototypes = [train.embeddings[truth == label] for label in columns]
        parts = {name: split for name, split in splits.items() if name != "train"}
        scores = {
            name: scores_of(found.embeddings, found.logits, columns, unknown, prototypes)
            for name, (found, _) in parts.items()
        }
        kinds: dict[str, Any] = {}
        for kind in scores["test"]:
            _, own = parts["validation"]
            threshold = threshold_for(scores["validation"][kind][own == unknown], self.share)
            kinds[kind] = {
                name: rates(scores[name][kind] > threshold, found.logits, own, columns, unknown)
                for name, (found, own) in parts.items()
            }
        found, own = parts["test"]
        plain = np.isin(np.argmax(found.logits, axis=1), columns)
        return {
            "run": self.run,
            "data": Path(self.data).name,
            "share": self.share,
            "clips": {
                name: {
                    "other words": int((each == unknown).sum()),
                    "commands": int(np.isin(each, columns).sum()),
                }
                for name, (_, each) in parts.items()
            },
            "without": rates(plain, found.logits, own, columns, unknown),
            "scores": kinds,
        }


def rates(
    accepted: NDArray[np.bool_],
    logits: Floats,
    truth: NDArray[np.int32],
    columns: list[int],
    unknown: int,
) -> Figures:
    """The rates of `UnknownWords` among clips, of which some are accepted as a command."""
    best = np.array(columns)[np.argmax(logits[:, columns], axis=1)]
    own = np.isin(truth, columns)
    return rounded(
        {
            "false_accepts": float(accepted[truth == unknown].mean()),
            "recall": float(accepted[own].mean()),
            "right": float((accepted & (best == truth))[own].mean()),
        },
        4,
    )


def scores_of(
    embeddings: Floats, logits: Floats, columns: list[int], unknown: int, prototypes: list[Floats]
) -> dict[str, Floats]:
    """float[n] each, larger for commands.

    margin: the largest logit of a command above that of `unknown`. probability: the largest one of
    a command. energy: the logarithm of the summed exponentials of the commands (Liu et al. 2020).
    distance: minus the Mahalanobis distance to the class of the best command (Lee et al. 2018).
    cosine: to the mean of normalised embeddings of that class.
    """
    from scipy.special import logsumexp, softmax

    best = np.argmax(logits[:, columns], axis=1)
    means = np.stack([each.mean(axis=0) for each in prototypes])
    spread = np.concatenate([each - each.mean(axis=0) for each in prototypes])
    covariance = spread.T @ spread / len(spread)
    identity = np.trace(covariance) / len(covariance) * np.eye(len(covariance))
    precision = np.linalg.inv((1 - SHRINKAGE) * covariance + SHRINKAGE * identity)
    apart = embeddings - means[best]
    unit = embeddings / np.linalg.norm(embeddings, axis=1, keepdims=True)
    middle = [each / np.linalg.norm(each, axis=1, keepdims=True) for each in prototypes]
    centres = np.stack([each.mean(axis=0) for each in middle])
    centres /= np.linalg.norm(centres, axis=1, keepdims=True)
    return {
        "margin": logits[:, columns].max(axis=1) - logits[:, unknown],
        "probability": softmax(logits, axis=1)[:, columns].max(axis=1),
        "energy": logsumexp(logits[:, columns], axis=1),
        "distance": -np.einsum("ni,ij,nj->n", apart, precision, apart),
        "cosine": (unit * centres[best]).sum(axis=1),
    }
