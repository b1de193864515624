"""A recogniser's part of a comparison with others on the same clips."""

import hashlib
import re
from collections.abc import Mapping

import numpy as np
import tensorflow as tf

from textapps.datasets.clips.examples import Clips
from textapps.evaluation.metrics.speech import SpeechFigures, speech_metrics
from textapps.evaluation.reports.sections import percent
from textapps.tasks.answered import ASKED, Answered, Ask, in_order_of, spread
from textapps.tasks.speech.evaluate import clip_scores
from textapps.tasks.speech.predictor import SpeechRecognizer


def answered(recognizer: SpeechRecognizer, clips: Clips) -> Answered:
    """The recogniser's answers to the clips, each at the sample rate that it reads."""
    names, labels, commands = clips.names, clips.labels, recognizer.commands
    scores = in_order_of(clip_scores(recognizer, clips), recognizer.labels, names)
    given = np.argmax(scores, axis=1)

    def item(row: int) -> Mapping[str, str]:
        return {"": f"clip {row + 1:,}, labelled {names[labels[row]]}", "Clip": clips.places[row]}

    return Answered(
        identity=_identity(clips),
        metrics=speech_metrics(labels, scores, names, commands=commands),
        scored=SpeechFigures(labels, scores, names, commands=commands),
        merit=(given == labels).astype(np.float64),
        exact=True,
        noun="clip",
        item=item,
        told=lambda row: f"{names[given[row]]} ({percent(float(scores[row, given[row]]))})",
        ask=asking(recognizer, clips),
        asked=f"{ASKED} clips from all over the split",
    )


def asking(recognizer: SpeechRecognizer, clips: Clips) -> Ask:
    """Classifies some of the clips."""
    waveforms = clips.waveforms(spread(len(clips)))
    return lambda count: recognizer.answer_clips(tf.constant(waveforms[:count]))


def _identity(clips: Clips) -> str:
    """Of places and labels: the samples of the same clip differ between sample rates.

    Where a clip of silence begins in its noise depends on the length of clips.
    """
    rows = [
        (re.sub(r" at [\d.]+ s$", "", place), clips.names[label])
        for place, label in zip(clips.places, clips.labels, strict=True)
    ]
    return hashlib.sha256(repr(rows).encode()).hexdigest()
