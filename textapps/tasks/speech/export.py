"""The SavedModel of a recogniser: the bytes of a recording in, a command out."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from textapps.core.recording_faults import LONGEST_SECONDS
from textapps.exporting.archive import DEFAULT_SIGNATURE, EXPLAIN, Endpoint
from textapps.exporting.config import ExportConfig
from textapps.exporting.export import export_model
from textapps.exporting.state import flatten_state, state_specs, unflatten_state
from textapps.exporting.steady import steady_case
from textapps.exporting.verification import Case
from textapps.savedmodel.limits import CallLimits
from textapps.tasks.speech.config import SpeechExportConfig
from textapps.tasks.speech.explain import COLUMNS, ROWS
from textapps.tasks.speech.predictor import SpeechRecognizer
from textapps.tasks.speech.recordings import Waveform
from textapps.tasks.speech.word_signatures import word_cases, word_endpoints

STEP = "step"
_SAMPLE_BYTES = 50  # of a clip's features and activations, measured on the preset `small`
# Sample rate, channels and encoding of the files in the verification.
FILES = ((None, 1, "PCM_16"), (44_100, 2, "PCM_24"), (8_000, 1, "FLOAT"), (None, 1, "PCM_U8"))


def export_saved_model(
    recognizer: SpeechRecognizer, models_dir: Path, config: ExportConfig
) -> Path:
    """Publishes the next version of the export and returns its directory.

    Signatures: `serving_default`, audio_bytes → label, probability, scores[batch, labels], error;
    `waveform`, waveform[batch, samples] and samples[batch] → the same; `explain`, audio_bytes →
    what each stretch of time and band of frequencies adds to the label; of a causal model `step`,
    the next samples and a state → scores[batch, positions, labels], how many positions count, and
    the new state; those of `WordSignatures`.

    Raises:
        ExportError: it cannot be written, or its answers differ from the run's.
    """
    endpoints = {
        DEFAULT_SIGNATURE: Endpoint(
            recognizer.answer_files,
            recognizer.answer_files.input_signature,
            _limits(recognizer, {}),
        ),
        "waveform": Endpoint(
            recognizer.answer,
            recognizer.answer.input_signature,
            _limits(recognizer, _longest(recognizer)),
        ),
    }
    state: tuple[str, ...] = ()
    if recognizer.model.causal:
        endpoints[STEP] = step_endpoint(recognizer)
        state = tuple(spec.name for spec in endpoints[STEP].inputs[2:])

    if config.explain:
        endpoints[EXPLAIN] = Endpoint(
            recognizer.sound_shares, recognizer.answer_files.input_signature, _explained(recognizer)
        )
    if isinstance(config, SpeechExportConfig) and config.words:
        endpoints |= word_endpoints(recognizer, _limits(recognizer, {}))

    def cases() -> list[Case]:
        files = _files(recognizer)
        made = [_file_case(recognizer, files), _waveform_case(recognizer)]
        if STEP in endpoints:
            made.append(_step_case(recognizer, endpoints[STEP]))
        if EXPLAIN in endpoints:
            some = {"audio_bytes": [files[0], files[-1]]}
            made.append(steady_case(EXPLAIN, endpoints[EXPLAIN], some))
        return made + word_cases(endpoints, files)

    return export_model(
        endpoints,
        track=(),
        manifest_fields={
            **recognizer.manifest_fields,
            **recognizer.data_fields(config.examples),
            "state": state,
        },
        cases=cases,
        models_dir=models_dir,
        config=config,
    )


def step_endpoint(recognizer: SpeechRecognizer) -> Endpoint:
    """The signature for a chunk of a stream and the state before it; the first state is zeros."""
    model, rejection = recognizer.model, recognizer.answers.rejection

    def step(waveform: Any, samples: Any, **state: Any) -> dict[str, Any]:
        there = tf.clip_by_value(samples, 0, tf.shape(waveform)[1])
        logits, mask, new = model.listen(waveform, unflatten_state(state), there)
        return {
            "scores": tf.where(mask[:, :, None], tf.nn.softmax(rejection(logits)), 0),
            "positions": tf.reduce_sum(tf.cast(mask, tf.int32), axis=1),
            **flatten_state(new),
        }

    waveform = tf.TensorSpec([None, None], tf.float32, "waveform")
    samples = tf.TensorSpec([None], tf.int32, "samples")
    return Endpoint(
        step,
        [waveform, samples, *state_specs(model.initial_state(1))],
        CallLimits(longest=_longest(recognizer), row_bytes=100_000, cell_bytes=_SAMPLE_BYTES),
    )


def _limits(recognizer: SpeechRecognizer, longest: dict[str, int]) -> CallLimits:
    """A longer recording is cut to a clip before the features are computed."""
    clip = recognizer.config.preprocessor.clip_samples
    return CallLimits(longest=longest, row_bytes=_SAMPLE_BYTES * clip, cell_bytes=10)


def _explained(recognizer: SpeechRecognizer) -> CallLimits:
    """A recording is read whole, and its clip is recognised once for each patch."""
    audio = recognizer.config.preprocessor
    clip = _SAMPLE_BYTES * audio.clip_samples * COLUMNS * ROWS
    whole = round(8 * LONGEST_SECONDS * audio.sample_rate)
    return CallLimits(row_bytes=clip + whole, cell_bytes=10)


def _longest(recognizer: SpeechRecognizer) -> dict[str, int]:
    """A recording that is a little too long gets an error, and does not fail the whole call."""
    return {"waveform": round(2 * LONGEST_SECONDS * recognizer.config.preprocessor.sample_rate)}


def sounds(clip_samples: int) -> list[Waveform]:
    """Sounds of three lengths: a clip, a shorter one, and a longer one that is loud at its end."""
    drawn = np.random.RandomState(8)
    made = []
    for share in (1.0, 0.37, 2.6):
        samples = round(share * clip_samples)
        loud = np.hanning(2 * samples)[:samples] * np.sin(np.arange(samples) ** 1.4 / 200)
        made.append((0.3 * loud + 0.05 * drawn.normal(size=samples)).astype(np.float32))
    return made


def _files(recognizer: SpeechRecognizer) -> list[bytes]:
    """Recordings of several kinds and lengths, and files that are none."""
    import soundfile

    audio = recognizer.config.preprocessor
    made = sounds(audio.clip_samples)
    files = [b"", b"RIFF and no more", "no recording at all, but a text: 猫".encode()]
    for number, (rate_hz, channels, subtype) in enumerate(FILES):
        waveform = np.stack([made[number % len(made)] / (1 + c) for c in range(channels)], axis=1)
        written = io.BytesIO()
        soundfile.write(
            written, waveform, rate_hz or audio.sample_rate, subtype=subtype, format="WAV"
        )
        files.insert(number, written.getvalue())
    return files


def _file_case(recognizer: SpeechRecognizer, files: list[bytes]) -> Case:
    outputs = recognizer.answer_files(tf.constant(files))
    return Case(DEFAULT_SIGNATURE, {"audio_bytes": files}, _arrays(outputs))


def _waveform_case(recognizer: SpeechRecognizer) -> Case:
    waveform, samples = _batch(sounds(recognizer.config.preprocessor.clip_samples))
    samples = np.append(samples, 0).astype(np.int32)
    waveform = np.concatenate([waveform, waveform[:1]])
    outputs = recognizer.answer(tf.constant(waveform), tf.constant(samples))
    return Case("waveform", {"waveform": waveform, "samples": samples}, _arrays(outputs))


def _step_case(recognizer: SpeechRecognizer, endpoint: Endpoint) -> Case:
    """The second chunk of streams, some of which have ended."""
    waveform, samples = _batch(sounds(recognizer.config.preprocessor.clip_samples))
    zeros = flatten_state(recognizer.model.initial_state(len(waveform)))
    half = waveform.shape[1] // 2
    opening = {"waveform": waveform[:, :half], "samples": np.minimum(samples, half), **zeros}
    first = endpoint.answer(opening)
    inputs = {
        "waveform": waveform[:, half:],
        "samples": np.maximum(samples - half, 0),
        **{name: first[name] for name in zeros},
    }
    return Case(STEP, inputs, endpoint.answer(inputs))


def _batch(waveforms: list[Waveform]) -> tuple[Any, Any]:
    """float32[batch, longest], padded with values to be ignored, and lengths int32[batch]."""
    samples = np.array([len(each) for each in waveforms], np.int32)
    batch = np.full((len(waveforms), samples.max()), 0.7, np.float32)
    for row, waveform in zip(batch, waveforms, strict=True):
        row[: len(waveform)] = waveform
    return batch, samples


def _arrays(outputs: Any) -> dict[str, Any]:
    return {name: tensor.numpy() for name, tensor in outputs.items()}
