"""Which sounds of a recording its label comes from, for `inspect`."""

import io
from collections.abc import Iterator

import tensorflow as tf

from textapps.interpret.section import Section
from textapps.tasks.speech.predictor import SpeechRecognizer
from textapps.tasks.speech.recordings import Waveform


def why_sections(recognizer: SpeechRecognizer, waveform: Waveform, name: str) -> Iterator[Section]:
    """The parts of one clip, float32[samples], that add to its label."""
    import soundfile

    from textapps.interpret.sections.sounds import sounds_section

    file = io.BytesIO()
    rate_hz = recognizer.config.preprocessor.sample_rate
    soundfile.write(file, waveform, rate_hz, subtype="PCM_16", format="WAV")
    answer = recognizer.sound_shares(tf.constant([file.getvalue()]))
    found = {key: each[0].numpy() for key, each in answer.items()}
    if found["error"]:
        return
    samples = tf.constant([len(waveform)])
    clip, *_ = recognizer.answers.stretch(tf.constant(waveform[None]), samples)
    log_mels = recognizer.preprocessor.log_mels(clip)[0].numpy()
    probability = float(recognizer.scores([waveform]).max())
    yield sounds_section(found, probability, log_mels, file.getvalue(), name)
