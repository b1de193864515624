"""What the parts of a spectrogram add to a label, and where they lie in the recording."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from tests.tasks.tiny import each_kind
from tests.tasks.toy_words import WORDS, spoken, wav_bytes
from textapps.tasks.speech.explain import SoundShares

Make = Callable[[str, str], Any]


@each_kind
def test_each_part_is_what_is_lost_without_it(untrained: Make, kind: str) -> None:
    recognizer = untrained("speech", kind)
    audio, model = recognizer.config.preprocessor, recognizer.model
    files = [wav_bytes(spoken(WORDS[0], 77)), b"RIFF"]
    found = {
        name: each.numpy() for name, each in recognizer.sound_shares(tf.constant(files)).items()
    }
    answer = recognizer.predict(files[:1])[0]
    assert [label.decode() for label in found["label"]] == [answer.label, ""]
    assert found["error"][0] == b"" != found["error"][1]
    assert not any(found[name][1].any() for name in found if name not in ("label", "error"))

    # One part by hand, in NumPy.
    word = spoken(WORDS[0], 77)
    waveform, *_ = recognizer.answers.stretch(tf.constant(word[None]), tf.constant([len(word)]))
    mels = model.front_end.log_mels(waveform).numpy()
    time, bands = mels.shape[1:]
    assert time == audio.clip_frames
    count = 1 + (len(word) - audio.window_samples) // audio.hop_samples  # without the padding
    background = np.sort(mels[:, :count], axis=1)[:, int(0.1 * count)]
    per_column, per_row = -(-time // 14), -(-bands // 8)
    place = np.unravel_index(
        np.abs(found["attributions"][0]).argmax(), found["attributions"][0].shape
    )
    hidden = mels.copy()
    times = slice(place[0] * per_column, (place[0] + 1) * per_column)
    rows = slice(place[1] * per_row, (place[1] + 1) * per_row)
    hidden[:, times, rows] = background[:, None, rows]
    odds = []
    for each in (mels, hidden):
        p = tf.nn.softmax(model.logits(model.front_end.from_log_mels(each))).numpy()[0]
        p = p[recognizer.labels.index(answer.label)].astype(float)
        odds.append(np.log(p / (1 - p)))
    assert found["attributions"][0][place] == pytest.approx(odds[0] - odds[1], abs=2e-4)
    assert found["begin_ms"][0, 0] == 0
    assert found["end_ms"][0, -1] == pytest.approx(1_000 * audio.clip_seconds)
    np.testing.assert_allclose(found["begin_ms"][0, 1:], found["end_ms"][0, :-1])
    np.testing.assert_allclose(found["low_hz"][0, 1:], found["high_hz"][0, :-1])
    assert audio.low_hz < found["low_hz"][0, 0] < found["high_hz"][0, -1] < audio.high_hz


@pytest.mark.parametrize("trim", [False, True])
def test_times_count_from_the_beginning_of_the_recording(untrained: Make, trim: bool) -> None:
    recognizer = untrained("speech", "gru")
    audio = recognizer.config.preprocessor.model_copy(update={"trim": trim})
    answers = type(recognizer.answers)(recognizer.model, audio, recognizer.labels)
    word = spoken(WORDS[1], 3)
    silence = 3 * audio.sample_rate
    recording = np.concatenate([np.zeros(silence, np.float32), word, np.zeros(9_000, np.float32)])
    clip, _, start = answers.stretch(tf.constant(recording[None]), tf.constant([len(recording)]))
    start = int(start[0])
    assert abs(start - silence) <= audio.clip_samples
    there = recording[start : start + audio.clip_samples]
    np.testing.assert_array_equal(clip[0, : len(there)][there != 0], there[there != 0])
    found = SoundShares(answers)(tf.constant([wav_bytes(recording)]))
    assert float(found["begin_ms"][0, 0]) == pytest.approx(1_000 * start / audio.sample_rate, abs=1)
