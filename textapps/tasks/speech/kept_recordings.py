"""The recordings of added words, which a run keeps to be trained on later."""

import csv
import io
from pathlib import Path

from textapps.core import files
from textapps.core.errors import RunError
from textapps.datasets.clips.config import ADDED_WORDS, ClipsConfig
from textapps.tasks.speech.enrolment import Enrolment
from textapps.training.run_directory import RunDirectory

TABLE = ADDED_WORDS  # of a run: a source as --added-data takes it
FOLDER = Path(TABLE).parent


def keep_recordings(
    old: RunDirectory, new: RunDirectory, word: str, added: Enrolment | None = None
) -> None:
    """Keeps with a new run the recordings of the old one, except those of a word.

    Args:
        added: those of the word from now on.

    Raises:
        RunError: they cannot be read or written.
    """
    try:
        kept = [
            (each, (old.path / FOLDER / name).read_bytes())
            for name, each in _listed(old.path / TABLE)
            if each != word
        ]
        kept += [(word, clip) for clip in added.files] if added else []
        if not kept:
            return
        (new.path / FOLDER).mkdir()
        table = io.StringIO()
        writer = csv.writer(table)
        writer.writerow(["path", "label"])
        for number, (label, content) in enumerate(kept):
            files.write_file(new.path / FOLDER / f"{number}.wav", content)
            writer.writerow([f"{number}.wav", label])
        files.write_file(new.path / TABLE, table.getvalue())
    except OSError as error:
        raise RunError(f"cannot keep the recordings: {error.filename}: {error.strerror}") from error


def with_added_words(data: ClipsConfig, run: RunDirectory) -> ClipsConfig:
    """The data of a run, with the recordings of words that were added to it."""
    table = run.path / TABLE
    if not table.is_file():
        return data
    added = (*data.added_source, str(table.absolute()))
    return data.model_copy(update={"added_source": added})


def _listed(table: Path) -> list[tuple[str, str]]:
    """File and word of each recording; [] if there is no table."""
    if not table.is_file():
        return []
    with table.open(newline="", encoding="utf-8") as file:
        return [(row["path"], row["label"]) for row in csv.DictReader(file)]
