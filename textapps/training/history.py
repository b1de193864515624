"""history.csv: one row per interval of a run."""

import csv
import io
from collections.abc import Mapping

from textapps.training.run_directory import RunDirectory

NAME = "history.csv"
CLIPPED = "clipped_steps"  # steps of the interval in which the gradient was clipped


class History:
    """The rows of history.csv; every new row replaces the file atomically.

    Args:
        run: the run to which the file belongs.
        step: rows after this step are removed: their checkpoint was never finished, so the steps
            are repeated.
    """

    def __init__(self, run: RunDirectory, step: int) -> None:
        self.run = run
        known = read_history(run)
        self.rows = [row for row in known if int(row["step"]) <= step]
        if known:
            self._write()

    def append(self, row: Mapping[str, float]) -> None:
        """Appends a row, which has a column `step`; RunError if it cannot be written."""
        self.rows.append({name: f"{value:.7g}" for name, value in row.items()})
        self.rows[-1]["step"] = str(int(row["step"]))
        self._write()

    def _write(self) -> None:
        if not self.rows:
            (self.run.path / NAME).unlink(missing_ok=True)
            return
        text = io.StringIO()
        # A run that an earlier version began may have rows of fewer columns.
        names = list(dict.fromkeys(name for row in self.rows for name in row))
        writer = csv.DictWriter(text, fieldnames=names, lineterminator="\n")
        writer.writeheader()
        writer.writerows(self.rows)
        self.run.write_text(NAME, text.getvalue())


def read_history(run: RunDirectory) -> list[dict[str, str]]:
    """The rows of a run's history.csv, none if there is no such file yet."""
    path = run.path / NAME
    if not path.is_file():
        return []
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))
