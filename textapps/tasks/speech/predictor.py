"""A trained recogniser of spoken commands."""

from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from textapps.datasets.clips.config import SILENCE, UNKNOWN
from textapps.decoding.detector import Detection, Detector
from textapps.preprocessing.log_mel import FrontEnd
from textapps.preprocessing.recordings import read_recordings
from textapps.tasks.classification import Classification, classifications
from textapps.tasks.predictor import TrainedPredictor, batches_by_length, several
from textapps.tasks.speech.answers import Answers
from textapps.tasks.speech.config import SpeechConfig
from textapps.tasks.speech.explain import SoundShares
from textapps.tasks.speech.listener import Listener
from textapps.tasks.speech.model import SpeechModel
from textapps.tasks.speech.recordings import Recording, Waveform, read_recording
from textapps.tasks.speech.uncertain import UncertainClips
from textapps.training.decision import read_threshold


class SpeechRecognizer(TrainedPredictor[SpeechConfig, FrontEnd, SpeechModel]):
    """Recognises spoken commands, in clips (`recognizer.predict(["yes.wav"])`) and in a stream."""

    def set_up(self) -> None:
        """Reads the threshold of the run, and makes the graphs of the signatures."""
        model, audio = self.model, self.config.preprocessor
        self.answers = Answers(model, audio, self.labels, read_threshold(self.run))
        self.sound_shares = SoundShares(self.answers)
        self.listener = cache(lambda hop_ms: Listener(model, audio, hop_ms, self.answers.rejection))
        waveform = tf.TensorSpec([None, None], tf.float32, name="waveform")
        samples = tf.TensorSpec([None], tf.int32, name="samples")
        # Without AutoGraph: nothing branches on a tensor, and conversion takes a second.
        self.answer_clips = tf.function(
            self.answers.clips, input_signature=[waveform], autograph=False
        )
        self.embed = tf.function(
            self.answers.embeddings, input_signature=[waveform], autograph=False
        )
        self.answer = tf.function(
            self.answers.waveforms, input_signature=[waveform, samples], autograph=False
        )
        self.answer_files = tf.function(
            self._answer_files,
            input_signature=[tf.TensorSpec([None], tf.string, name="audio_bytes")],
            autograph=False,
        )

    @property
    def commands(self) -> tuple[str, ...]:
        """The labels that are commands: all but unknown and silence."""
        return tuple(label for label in self.labels if label not in (UNKNOWN, SILENCE))

    @property
    def manifest_fields(self) -> dict[str, Any]:
        """The fields of the manifest that every export has."""
        audio, detection = self.config.preprocessor, self.config.detection.model_dump()
        rejected = self.answers.rejection.threshold
        return {
            **super().manifest_fields,
            "sample_rate_hz": audio.sample_rate,
            "decoding": {
                **detection,
                "clip_seconds": audio.clip_seconds,
                **({} if rejected is None else {"rejection_threshold": rejected}),
            },
        }

    def scores(self, waveforms: Sequence[Waveform]) -> NDArray[np.float32]:
        """float32[recordings, labels]: the probabilities of the labels, each row summing to one.

        Args:
            waveforms: float32[samples] each, at the rate of the model, none empty; of one longer
                than a clip, the loudest stretch is recognised.
        """
        several(waveforms, "waveform", "scores([waveform])")
        scores = np.zeros((len(waveforms), len(self.labels)), np.float32)
        for rows in batches_by_length(map(len, waveforms)):
            samples = np.array([len(waveforms[row]) for row in rows], np.int32)
            batch = np.zeros((len(rows), samples.max()), np.float32)
            for place, row in enumerate(rows):
                batch[place, : samples[place]] = waveforms[row]
            scores[rows] = self.answer(tf.constant(batch), tf.constant(samples))["scores"]
        return scores

    def predict(self, recordings: Sequence[Recording]) -> list[Classification]:
        """One answer a recording.

        Args:
            recordings: paths of audio files, their bytes, or samples at the rate of the
                model, of 30 s at most each.

        Raises:
            DataError: one is missing, bad, empty or too long.
            TypeError: one recording instead of a list.
        """
        several(recordings, "recording", "predict([recording])")
        rate_hz = self.config.preprocessor.sample_rate
        scores = self.scores([read_recording(each, rate_hz) for each in recordings])
        return classifications(scores, self.labels)

    def listen(
        self,
        pieces: Iterable[Waveform],
        *,
        false_alarms_per_hour: float | None = None,
        save_uncertain: Path | str | None = None,
        **options: object,
    ) -> Iterator[Detection]:
        """The commands in a stream, each as soon as it is detected.

        Args:
            pieces: float32[samples] each, of any length, at the rate of the model.
            false_alarms_per_hour: chooses the threshold by a stream of the run's validation clips,
                as `threshold_for_alarms` does.
            save_uncertain: a folder for clips in which a command was nearly detected.
            options: of the [detection] section, in place of the run's.

        Raises:
            ConfigurationError: an option is unknown or out of its range.
            DataError: the validation clips cannot be read.
            OSError: a clip cannot be saved.
            TypeError: one piece, or a path, instead of pieces.
        """
        several(pieces, "piece", "listen([waveform])")
        flags = {f"detection.{name}": value for name, value in options.items()}
        detection = self.configured(flags).config.detection
        if false_alarms_per_hour is not None:
            from textapps.tasks.speech.calibration import threshold_for_alarms

            threshold = threshold_for_alarms(self, false_alarms_per_hour, detection)
            detection = detection.model_copy(update={"threshold": threshold})
        detector = Detector(self.labels, self.commands, detection)
        uncertain = None
        if save_uncertain is not None:
            audio = self.config.preprocessor
            uncertain = UncertainClips(
                self.labels,
                self.commands,
                detection,
                Path(save_uncertain),
                audio.sample_rate,
                audio.clip_samples,
            )

        def detections() -> Iterator[Detection]:
            state = None
            recorded = uncertain.recorded(pieces) if uncertain else pieces
            try:
                for heard in self.listener(detection.hop_ms).answers(recorded):
                    found, state = detector(heard.scores, heard.times_ms, state)
                    if uncertain:
                        uncertain.watch(heard.scores, heard.times_ms, found)
                    yield from found
            finally:  # a microphone only ends by Ctrl-C
                if uncertain:
                    uncertain.finish()

        return detections()

    def _answer_files(self, audio_bytes: Any) -> dict[str, Any]:
        """string[batch] → as `Answers.waveforms`."""
        rate_hz = self.config.preprocessor.sample_rate
        read = read_recordings(audio_bytes, rate_hz, self.answers.loudest)
        return self.answers.checked(*read)
