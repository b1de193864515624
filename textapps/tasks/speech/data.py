"""From clips to a front end and batches of waveforms."""

import io
from base64 import b64encode
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from textapps.datasets.clips.audio import Shape
from textapps.datasets.clips.config import SILENCE, ClipsConfig
from textapps.datasets.clips.examples import Clips
from textapps.datasets.clips.loader import load_clips
from textapps.preprocessing.log_mel import FrontEnd
from textapps.preprocessing.made_noise import made_noises
from textapps.preprocessing.recordings import loudest
from textapps.preprocessing.resampling import resample
from textapps.preprocessing.trimming import trimmed
from textapps.savedmodel.manifest import Example
from textapps.tasks.predictor import ANSWER_BATCH
from textapps.tasks.speech.batches import ClipBatchSource
from textapps.tasks.speech.config import SpeechConfig
from textapps.tasks.task import Labels

EXAMPLE_BYTES = 400_000  # of all clips in a manifest, before base64
VOICES = 400  # clips of which babble is made, about
OF_EACH_WORD = 60  # negatives: more would take longer to read than a command should
ALL_UNKNOWN = 0.5  # share of clips of other words: more than any set has beside its commands
LEARNED_FROM = 2_000  # clips; more would hardly change the normalisation


def load_training(config: SpeechConfig, labels: Labels) -> tuple[Clips, Clips]:
    """The training and the validation clips."""
    train, validation = _load(config, config.data, ("train", "validation"), labels)
    return train, validation


def load_split(config: SpeechConfig, split: str | None, labels: Labels) -> Clips:
    """The clips of one split, the same ones in every call.

    Training takes other clips of unknown words in each pass; here each word has its share.
    """
    fixed = config.data.model_copy(update={"redraw": False})
    (clips,) = _load(config, fixed, (split,), labels)
    return clips


def load_words(config: SpeechConfig, split: str, labels: Labels) -> Clips:
    """Some clips of each word of a split that occurs in it, commands or not, and of silence.

    Raises:
        DataError: the data are missing or wrong.
    """
    every = config.data.model_copy(update={"redraw": False, "unknown": ALL_UNKNOWN})
    (clips,) = _load(config, every, (split,), labels, most=OF_EACH_WORD)
    return clips


def learn(
    config: SpeechConfig, train: Clips, known: FrontEnd | None
) -> tuple[FrontEnd, ClipBatchSource]:
    """The front end and the batches; its normalisation is from clips spread over the split."""
    if known is not None:
        return known, training_batches(config, known, train)
    chosen = np.unique(np.linspace(0, len(train) - 1, LEARNED_FROM).astype(np.int64))
    parts = np.array_split(chosen, -(-len(chosen) // ANSWER_BATCH))
    front_end = FrontEnd.learn(config.preprocessor, (train.waveforms(part) for part in parts))
    return front_end, training_batches(config, front_end, train)


def training_batches(config: SpeechConfig, front_end: FrontEnd, train: Clips) -> ClipBatchSource:
    """Clips in an order that follows from the random seed, augmented anew in every pass."""
    return ClipBatchSource(
        train,
        config.training.batch_size,
        config.random_seed,
        repeat=config.data.repeat,
        repeat_unknown=config.data.repeat_unknown,
        nonwords=config.data.nonwords,
    )


def training_noise(config: SpeechConfig, train: Clips) -> list[NDArray[np.float32]]:
    """The recordings of noise that are mixed into training clips, float32[samples] each."""
    recorded = [noise.waveform for noise in train.noises]
    if not config.augmentation.made_noise:
        return recorded
    spoken = np.flatnonzero([bool(word) and word != SILENCE for word in train.words])
    some = spoken[:: max(1, len(spoken) // VOICES)]
    voices = [train.waveforms([row])[0, : train.lengths[row]] for row in some]
    return [*recorded, *made_noises(train.rate_hz, voices)]


def validation_batches(
    config: SpeechConfig, front_end: FrontEnd, validation: Clips
) -> ClipBatchSource:
    """Every clip once, without augmentation."""
    return ClipBatchSource(validation, 2 * config.training.batch_size, None)


def shape_of(config: SpeechConfig) -> Shape:
    """The clips of a recogniser, and how recordings become such clips."""
    audio = config.preprocessor
    rate_hz, trim = audio.sample_rate, audio.trim
    return Shape(
        round(audio.clip_seconds * rate_hz),
        rate_hz,
        lambda waveform, own_hz: resampled(waveform, own_hz, rate_hz),
        lambda waveform, samples: loudest_stretch(waveform, samples, rate_hz),
        lambda waveform: without_silence(waveform, rate_hz) if trim else waveform,
    )


def resampled(waveform: NDArray[np.float32], rate_hz: int, to_hz: int) -> NDArray[np.float32]:
    """float32[samples] at another rate."""
    changed: NDArray[np.float32] = resample(waveform, rate_hz, to_hz).numpy()
    return changed


def loudest_stretch(
    waveform: NDArray[np.float32], samples: int, rate_hz: int
) -> NDArray[np.float32]:
    """float32[samples]: the part of a longer recording that an export would classify."""
    found: NDArray[np.float32] = loudest(*_one(waveform), samples, rate_hz)[0].numpy()
    return found


def without_silence(waveform: NDArray[np.float32], rate_hz: int) -> NDArray[np.float32]:
    """float32[at most as many]: a recording as an export would trim it."""
    moved, left = trimmed(*_one(waveform), rate_hz)
    kept: NDArray[np.float32] = moved[0, : left[0]].numpy()
    return kept


def _one(waveform: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
    """A batch of one recording and its length."""
    return np.clip(waveform, -1, 1)[None], np.array([len(waveform)], np.int32)


def examples(split: Clips, count: int) -> Iterator[Example]:
    """`count` clips of each label, spread over the split; fewer if they would be too large.

    They are WAV files of 8-bit mu-law, half as large as those of 16-bit PCM.
    """
    import soundfile

    by_label = [np.flatnonzero(split.labels == label) for label in range(len(split.names))]
    label_bytes = len(by_label) * max(1, int(split.lengths.max(initial=0)))
    most = min(count, max(1, EXAMPLE_BYTES // label_bytes))
    for rows in by_label:
        spread = np.linspace(0, len(rows) - 1, min(most, len(rows))).astype(np.int64)
        for row in rows[spread]:
            file = io.BytesIO()
            waveform = split.waveforms([row])[0, : split.lengths[row]]
            soundfile.write(file, waveform, split.rate_hz, subtype="ULAW", format="WAV")
            encoded = {"b64": b64encode(file.getvalue()).decode()}
            label = split.names[split.labels[row]]
            yield Example(inputs={"audio_bytes": encoded}, expected={"label": label})


def _load(
    config: SpeechConfig,
    data: ClipsConfig,
    splits: Sequence[str | None],
    labels: Labels,
    most: int | None = None,
) -> list[Clips]:
    shape = shape_of(config)
    return load_clips(
        data,
        splits,
        shape.resample,
        shape.loudest,
        trim=shape.trim,
        rate_hz=shape.rate_hz,
        clip_seconds=config.preprocessor.clip_seconds,
        names=labels,
        most=most,
    )
