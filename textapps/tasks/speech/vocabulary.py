"""Adding a word to a trained recogniser, and removing one, without training the backbone."""

import copy
import difflib
import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from textapps.core.counted import counted
from textapps.core.errors import ConfigurationError
from textapps.core.names import models_folder
from textapps.core.notices import notice
from textapps.datasets.clips.config import SILENCE, UNKNOWN
from textapps.tasks.derived import derive
from textapps.tasks.registry import get_task
from textapps.tasks.speech.enrolment import read_enrolment
from textapps.tasks.speech.kept_recordings import keep_recordings, without_kept
from textapps.tasks.speech.model import SpeechModel
from textapps.tasks.speech.negatives import (
    Floats,
    Negatives,
    embedded,
    last_layer,
    own_negatives,
)
from textapps.tasks.speech.new_word import SURELY, learn_word
from textapps.tasks.speech.predictor import SpeechRecognizer
from textapps.tasks.speech.recordings import Recording
from textapps.tasks.speech.tested_on import warn_of_tested
from textapps.training.run_directory import RunDirectory
from textapps.training.weights import is_carried

FALSE_ACCEPTS = 0.02  # of words in training and validation; unheard ones are accepted more often


@dataclass(frozen=True)
class AddedWord:
    """A recogniser that knows a new word.

    recognizer: with a run of its own
    word: the new label
    recordings: from how many it was learned
    recognised: how many of them are recognised by a recogniser that learned from the others
    false_accepts: of each kind of the run's own negatives, how many of the validation split are
        taken for the word, and how many there are
    """

    recognizer: SpeechRecognizer
    word: str
    recordings: int
    recognised: int
    false_accepts: Mapping[str, tuple[int, int]]

    @property
    def told(self) -> str:
        """What is to be said of it, in one line."""
        parts = [
            f"{taken} of {count} clips of {kind} ({100 * taken / count:.1f} %)"
            for kind, (taken, count) in self.false_accepts.items()
        ]
        return (
            f"{self.word}: {self.recognised} of {self.recordings} recordings are recognised from "
            f"the others alone; taken for it on validation: {', '.join(parts)}"
        )

    @property
    def fields(self) -> dict[str, Any]:
        """The same for JSON."""
        return {
            "run": str(self.recognizer.run.path),
            "word": self.word,
            "recordings": self.recordings,
            "recognised": self.recognised,
            "false_accepts": {
                kind: {"taken": taken, "clips": count}
                for kind, (taken, count) in self.false_accepts.items()
            },
        }


def add_word(
    recognizer: SpeechRecognizer,
    word: str,
    recordings: Sequence[Recording],
    models_dir: Path | str | None = None,
    *,
    false_accepts: float = FALSE_ACCEPTS,
    data: str | None = None,
    negatives: Negatives | None = None,
) -> AddedWord:
    """A new run that also recognises a word, from a few recordings of it.

    The last layer gets one more row; all other weights stay, so the logits of the other labels do
    too.

    Args:
        word: the new label, which comes after the other commands.
        recordings: five to ten, as `SpeechRecognizer.predict` takes them.
        models_dir: where the run goes, by default TEXTAPPS_MODELS_DIR, else "models".
        false_accepts: the share of clips of other words, of the training and the validation split
            of the run, that may be taken for this one, at most.
        data: a source of clips of other words in place of the data of the run, which the new run
            keeps as its data.
        negatives: what `own_negatives` gives, if it has been called for the recogniser before.

    Raises:
        ConfigurationError: the word exists, cannot be a label, the run has no class `unknown`, or
            `false_accepts` is no such share.
        DataError: a recording is bad, silent, twice there or of another word, or there are too few.
        RunError: the new run cannot be written.
    """
    word = word.strip()
    _check_new(recognizer, word)
    if not 0 <= false_accepts < 1:
        raise ConfigurationError(
            f"false_accepts must be at least 0 and below 1, not {false_accepts}"
        )
    if data is not None:
        recognizer = with_data(recognizer, data)
    enrolled = read_enrolment(recognizer, word, recordings)
    labels, place = _with(recognizer.labels, word)
    clips = enrolled.versions(recognizer.config)
    positives = embedded(recognizer, clips.reshape(-1, clips.shape[-1]))
    train, validation = negatives or own_negatives(recognizer)
    warn_of_tested(recognizer.config, labels, word, enrolled.waveforms)
    others = train.rows(train.words != word), validation.rows(validation.words != word)
    commands = recognizer.commands
    heard = [
        answer.label if answer.label in commands and answer.probability >= SURELY else ""
        for answer in recognizer.predict(list(enrolled.waveforms))
    ]
    learned = learn_word(word, enrolled.places, positives, others, false_accepts, heard)
    kernel, bias = last_layer(recognizer)
    kernel = np.insert(kernel, place, learned.row.kernel, axis=1)
    bias = np.insert(bias, place, learned.row.bias)
    how = {
        "told": f"'{word}' added from {counted(len(enrolled.places), 'recording')}",
        "added": word,
        "recordings": [_digest(clip) for clip in enrolled.waveforms],
        "false_accepts": false_accepts,
    }
    made = _derived(
        recognizer,
        labels,
        kernel,
        bias,
        models_folder(models_dir),
        how,
        lambda run: keep_recordings(recognizer.run, run, word, enrolled),
    )
    return AddedWord(made, word, len(enrolled.places), learned.recognised, learned.false_accepts)


def remove_word(
    recognizer: SpeechRecognizer, word: str, models_dir: Path | str | None = None
) -> SpeechRecognizer:
    """A recogniser with a new run that does not know a command any more.

    Raises:
        ConfigurationError: there is no such command, or no other.
        RunError: the new run cannot be written.
    """
    _check_removable(recognizer, word)
    if recognizer.answers.rejection.threshold is not None:
        notice(
            "the margin above other words (threshold.json) was chosen with '%s' and stays as it "
            "is: `textapps speech evaluate --false-accepts` chooses it anew",
            word,
        )
    place = recognizer.labels.index(word)
    labels = tuple(label for label in recognizer.labels if label != word)
    kernel, bias = (np.delete(array, place, axis=-1) for array in last_layer(recognizer))
    return _derived(
        recognizer,
        labels,
        kernel,
        bias,
        models_folder(models_dir),
        {"told": f"'{word}' removed", "removed": word},
        lambda run: keep_recordings(recognizer.run, run, word),
    )


def _check_removable(recognizer: SpeechRecognizer, word: str) -> None:
    name, commands = recognizer.run.name, recognizer.commands
    if word in (UNKNOWN, SILENCE) and word in recognizer.labels:
        raise ConfigurationError(f"'{word}' is no command and stays")
    if word not in commands:
        near = difflib.get_close_matches(word, commands, n=1)
        hint = f"; did you mean '{near[0]}'?" if near else ""
        raise ConfigurationError(
            f"run {name} has no command '{word}', but {', '.join(commands)}: choose another run "
            f"by --run{hint}"
        )
    if len(commands) == 1:
        raise ConfigurationError(f"'{word}' is the only command of {name}")


def _check_new(recognizer: SpeechRecognizer, word: str) -> None:
    name = recognizer.run.name
    if not word or not word.isprintable():
        raise ConfigurationError(f"{word!r} cannot be the name of a word: give letters")
    if word in (UNKNOWN, SILENCE):
        raise ConfigurationError(f"'{word}' is the name of a class that is no word: give another")
    if word in recognizer.labels:
        raise ConfigurationError(
            f"{name} has the word '{word}' already: give another name, or take it away first by "
            "`textapps speech remove-word`"
        )
    if UNKNOWN not in recognizer.labels:
        raise ConfigurationError(
            f"{name} has no class '{UNKNOWN}' and takes every sound for one of its words, so none "
            "can be added: train with --commands on data that have other words too"
        )


def with_data(recognizer: SpeechRecognizer, source: str) -> SpeechRecognizer:
    """The same recogniser with other data."""
    changed = copy.copy(recognizer)
    data = recognizer.config.data.changed({"source": source}).resolved()
    changed.config = recognizer.config.model_copy(update={"data": data})
    return changed


def _with(labels: Sequence[str], word: str) -> tuple[tuple[str, ...], int]:
    """The labels with a word after the other commands, and its place."""
    place = next(i for i, label in enumerate(labels) if label in (UNKNOWN, SILENCE))
    return (*labels[:place], word, *labels[place:]), place


def _derived(
    recognizer: SpeechRecognizer,
    labels: tuple[str, ...],
    kernel: Floats,
    bias: Floats,
    models_dir: Path,
    how: Mapping[str, Any],
    fill: Callable[[RunDirectory], None],
) -> SpeechRecognizer:
    """A recogniser with another last layer and other labels, and its run."""
    commands = tuple(label for label in labels if label not in (UNKNOWN, SILENCE))
    data = without_kept(recognizer.config.data).model_copy(update={"commands": commands})
    config = recognizer.config.model_copy(update={"data": data})
    model = SpeechModel(config, recognizer.preprocessor, len(labels))
    model.build()
    known = [each for each in recognizer.model.variables if not is_carried(each.path)]
    for new, old in zip(model.variables, known, strict=True):
        if new.path.rpartition("/")[0].endswith("/head"):
            new.assign(kernel if new.path.endswith("kernel") else bias)
        else:
            new.assign(old)
    run = derive(get_task("speech"), recognizer, config, model, labels, models_dir, how, fill)
    return SpeechRecognizer(run, config, recognizer.preprocessor, model, labels)


def _digest(clip: Floats) -> str:
    return hashlib.sha256(clip.tobytes()).hexdigest()
