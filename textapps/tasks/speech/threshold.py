"""Choosing how large the margin of a command above other words must be, on validation."""

import numpy as np

from textapps.core.errors import ConfigurationError
from textapps.core.notices import notice
from textapps.datasets.clips.config import UNKNOWN
from textapps.evaluation.metrics.rejection import margins, threshold_for
from textapps.tasks.speech.data import load_words
from textapps.tasks.speech.negatives import embedded
from textapps.tasks.speech.predictor import SpeechRecognizer
from textapps.training.decision import write_threshold
from textapps.training.run_keeping import check_own


def reject_by(recognizer: SpeechRecognizer, share: float | None) -> None:
    """Gives the recogniser and its run a threshold on the margin of commands above `unknown`.

    Args:
        share: of the clips of other words on the validation split, how many may be taken for a
            command at most; None takes the threshold away.

    Raises:
        ConfigurationError: there is no class `unknown`.
        DataError: the validation split is missing or has no clip of other words.
        RunError: the run cannot be written.
    """
    check_own(recognizer.run)
    labels = recognizer.labels
    if UNKNOWN not in labels:
        raise ConfigurationError(
            f"{recognizer.run.name} has no class '{UNKNOWN}' and takes every sound for a command: "
            "train with --commands on data that have other words too"
        )
    if share is None:
        write_threshold(recognizer.run, None)
        recognizer.set_up()
        return
    clips = load_words(recognizer.config, "validation", labels)
    logits = embedded(recognizer, clips.waveforms()).logits
    columns = [labels.index(command) for command in recognizer.commands]
    above_unknown = margins(logits, labels, recognizer.commands)
    above_unknown += recognizer.answers.rejection.threshold or 0.0  # as without one
    other = clips.labels == labels.index(UNKNOWN)
    own = np.isin(clips.labels, columns)
    right = np.array(columns)[np.argmax(logits[:, columns], axis=1)] == clips.labels
    threshold = max(
        0.0, threshold_for(above_unknown[other], share)
    )  # never accepts more than without
    write_threshold(recognizer.run, threshold)
    recognizer.set_up()

    def rates(least: float) -> tuple[float, float]:
        above = above_unknown > least
        return 100 * float(above[other].mean()), 100 * float((above & right)[own].mean())

    notice(
        "a command needs a margin of %.2f above '%s': on validation %.1f %% of %d clips of other "
        "words are taken for a command (%.1f %% before) and %.1f %% of commands are recognised "
        "(%.1f %%)",
        threshold,
        UNKNOWN,
        rates(threshold)[0],
        int(other.sum()),
        rates(0.0)[0],
        rates(threshold)[1],
        rates(0.0)[1],
    )
