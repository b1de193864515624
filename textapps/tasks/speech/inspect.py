"""What can be seen inside a recogniser of spoken commands."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from textapps.core.counted import counted
from textapps.core.errors import RunError
from textapps.interpret.request import Request
from textapps.interpret.section import Section, Seen
from textapps.tasks.speech import data
from textapps.tasks.speech.model import SpeechModel
from textapps.tasks.speech.predictor import SpeechRecognizer
from textapps.tasks.speech.recordings import Waveform, read_recording
from textapps.tasks.speech.why import why_sections

CLIPS = 32  # of the validation split


def inspect(recognizer: SpeechRecognizer, request: Request) -> Seen:
    """The sections on some recordings.

    Raises:
        DataError: a recording is missing, bad, empty or too long, or there is none and the
            validation data cannot be read.
    """
    waveforms, looked_at = _waveforms_of(recognizer, request)
    return Seen(looked_at, _sections(recognizer, waveforms, request))


def _waveforms_of(recognizer: SpeechRecognizer, request: Request) -> tuple[Sequence[Waveform], str]:
    """The recordings to look at, float32[samples] each, and what they are."""
    config = recognizer.config
    if request.inputs:
        rate_hz = config.preprocessor.sample_rate
        read = [read_recording(path, rate_hz, path) for path in request.inputs]
        return read, ", ".join(request.inputs)
    split = data.load_split(config, "validation", recognizer.labels)
    rows = np.unique(np.linspace(0, len(split) - 1, CLIPS).astype(np.int64))
    read = [split.waveforms([row])[0, : split.lengths[row]] for row in rows]
    return read, f"{counted(len(read), 'clip')} of the validation split of {split.name}"


def _sections(
    recognizer: SpeechRecognizer, waveforms: Sequence[Waveform], request: Request
) -> Iterator[Section]:
    # Imported here because the plotting library is slow to import.
    from textapps.interpret.sections.around import Read, around

    clips, names = _clips(recognizer, waveforms), request.inputs

    def read_by(model: SpeechModel) -> Any:
        x, _, _ = model.stem(model.front_end.frames(clips))
        return Read(x, np.full(len(clips), x.shape[1], np.int32))

    first = None
    try:
        before, begun = request.initial()
        first = (before.backbone, read_by(before))
    except RunError as error:
        begun = f"the first weights cannot be had: {error}"
    model, audio = recognizer.model, recognizer.config.preprocessor
    read = read_by(model)
    step_ms = 1000 * audio.clip_seconds / read.inputs.shape[1]
    pieces = [f"{step_ms * position:.0f} ms" for position in range(read.inputs.shape[1])]
    yield from why_sections(
        recognizer, waveforms[0], Path(names[0]).name if names else "the first clip"
    )
    if recognizer.config.model.convolutional:  # the other sections are on a backbone
        return
    yield from around(model.backbone, read, pieces, unit="position", first=first, begun=begun)


def _clips(recognizer: SpeechRecognizer, waveforms: Sequence[Waveform]) -> NDArray[np.float32]:
    """What the model hears of each recording, float32[recordings, samples of a clip]."""
    clips = np.zeros((len(waveforms), recognizer.config.preprocessor.clip_samples), np.float32)
    for row, waveform in enumerate(waveforms):
        heard = recognizer.answers.loudest(tf.constant(waveform)).numpy()
        clips[row, : len(heard)] = heard
    return clips
