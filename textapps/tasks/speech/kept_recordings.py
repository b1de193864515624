"""The recordings of added words, which a run keeps to be trained on later."""

import csv
import io
from collections.abc import Sequence
from pathlib import Path

from textapps.core import files
from textapps.core.errors import RunError
from textapps.datasets.clips.config import ADDED_WORDS, ClipsConfig
from textapps.datasets.clips.sources import is_of_run
from textapps.tasks.speech.enrolment import Enrolment
from textapps.training.run_directory import RunDirectory

TABLE = ADDED_WORDS  # of a run: a source as --added-data takes it
FOLDER = Path(TABLE).parent


def keep_recordings(
    old: RunDirectory, new: RunDirectory, word: str, added: Enrolment | None = None
) -> None:
    """Keeps with a new run the recordings of the old one, except those of a word.

    Those that the old one was trained on, which other runs keep, are among them: the new run has
    its `without_kept` data.

    Args:
        added: those of the word from now on.

    Raises:
        RunError: they cannot be read or written.
    """
    try:
        others = _of_runs(old.config["data"].get("added_source", ()))
        kept = [
            (each, (table.parent / name).read_bytes())
            for table in (*map(Path, others), old.path / TABLE)
            for name, each in _listed(table)
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


def without_kept(data: ClipsConfig) -> ClipsConfig:
    """Data without the recordings that runs keep."""
    of_runs = _of_runs(data.added_source)
    added = tuple(source for source in data.added_source if source not in of_runs)
    return data.model_copy(update={"added_source": added})


def with_added_words(data: ClipsConfig, run: RunDirectory) -> ClipsConfig:
    """The data of a run, with the recordings of words that were added to it."""
    table = run.path / TABLE
    if not table.is_file():
        return data
    added = (*data.added_source, str(table.absolute()))
    return data.model_copy(update={"added_source": added})


def _of_runs(sources: Sequence[str]) -> list[str]:
    return [source for source in sources if is_of_run(Path(source))]


def _listed(table: Path) -> list[tuple[str, str]]:
    """File and word of each recording; [] if there is no table."""
    if not table.is_file():
        return []
    with table.open(newline="", encoding="utf-8") as file:
        return [(row["path"], row["label"]) for row in csv.DictReader(file)]
