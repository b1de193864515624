"""Training the whole model of a recogniser that has learned a word from a few recordings."""

from pathlib import Path

from textapps.tasks import lifecycle
from textapps.tasks.registry import get_task
from textapps.tasks.speech.config import PRESETS
from textapps.tasks.speech.kept_recordings import with_added_words
from textapps.tasks.speech.vocabulary import AddedWord
from textapps.training.progress import Progress
from textapps.training.run_directory import CONFIG, RunDirectory

REPEAT = 40  # a few recordings beside hundreds of every other command, varied each time


def refined(
    added: AddedWord,
    models_dir: Path,
    epochs: int | None = None,
    progress: Progress | None = None,
) -> Path:
    """Trains a new run from the weights of one with an added word, and returns its directory.

    It trains on the data of that run and on the recordings of all words that were added to it.

    Args:
        epochs: passes over the data, by default the preset's.

    Raises:
        DataError: the data of the run cannot be read.
        RunError, DivergedError, TrainingInterrupted: as `lifecycle.train`.
    """
    run, own = added.recognizer.run, added.recognizer.config
    data = with_added_words(own.data, run).model_copy(update={"repeat": REPEAT})
    values = {f"data.{key}": value for key, value in data.model_dump(exclude_none=True).items()}
    flags = {"preset": own.preset, "start.init_from": run.origin, **values}
    if epochs is not None:
        flags["training.epochs"] = epochs
    config = PRESETS.resolve(flags=flags, start=run.path / CONFIG)
    trained, _ = lifecycle.train(get_task("speech"), config, models_dir, progress)
    made: RunDirectory = trained.run
    return made.path
