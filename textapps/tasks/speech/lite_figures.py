"""How good files for small devices are, beside the run that they were made from."""

import logging
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from textapps.core.errors import DataError
from textapps.datasets.clips.examples import Clips
from textapps.savedmodel.manifest import EvaluatedOn
from textapps.tasks.speech.data import load_split
from textapps.tasks.speech.evaluate import clip_scores
from textapps.tasks.speech.predictor import SpeechRecognizer

LOGGER = logging.getLogger("textapps")


def figures(
    recognizer: SpeechRecognizer,
    scores_of: Mapping[str, Callable[[Clips], NDArray[Any]]],
    whole: str,
    small: str,
) -> dict[str, Any]:
    """Fields of the manifest; {} with a warning where the test split is not at hand.

    Args:
        scores_of: by the kind of a file, clips → its scores [clips, labels].
        whole, small: the kinds that are compared clip by clip; "run" is the run.
    """
    try:
        clips = load_split(recognizer.config, "test", recognizer.labels)
    except DataError as error:
        LOGGER.warning("the accuracy of the files is not known: %s", error)
        return {}
    scores = {"run": clip_scores(recognizer, clips)}
    scores |= {kind: answer(clips) for kind, answer in scores_of.items()}
    right = {kind: np.argmax(each, axis=1) == clips.labels for kind, each in scores.items()}
    one, other = right[whole], right[small]
    return {
        "evaluated_on": EvaluatedOn(data=clips.name, split="test", examples=len(clips)),
        "accuracy": {kind: float(values.mean()) for kind, values in right.items()},
        "int8_against_float": {
            "both_right": int((one & other).sum()),
            "only_float_right": int((one & ~other).sum()),
            "only_int8_right": int((~one & other).sum()),
            "both_wrong": int((~one & ~other).sum()),
        },
    }
