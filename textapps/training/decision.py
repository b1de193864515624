"""threshold.json of a run: where its predictor draws the line between labels.

Of a classifier of two classes it is the score from which it says the second one, of a recogniser of
commands how far their logits must be above that of `unknown`.
"""

import logging
from contextlib import suppress

from textapps.core.errors import RunError
from textapps.core.notices import muted
from textapps.core.records import RecordError, dump_record, read_record
from textapps.training.checkpoint import CheckpointStore
from textapps.training.evaluations import METRICS
from textapps.training.run_directory import RunDirectory
from textapps.training.run_keeping import check_own

THRESHOLD = "threshold.json"
LOGGER = logging.getLogger("textapps")


def read_threshold(run: RunDirectory) -> float | None:
    """The threshold of a run; None if it has none, or if it has been trained further since.

    Raises:
        RunError: the file is damaged.
    """
    path = run.path / THRESHOLD
    if not path.is_file():
        return None
    try:
        known = read_record(path)
        threshold, step = float(known["threshold"]), known["step"]
    except (OSError, RecordError, KeyError, TypeError, ValueError) as error:
        raise RunError(f"{path} is damaged ({error}): delete it, and choose another one") from None
    state = CheckpointStore(run.checkpoints).newest_state()
    if state is not None and state.best_step == step:
        return threshold
    LOGGER.warning(
        "%s was chosen before the run was trained further, and is not used: choose it again by "
        "evaluate %s",
        path,
        "--false-accepts 5%" if run.task == "speech" else "--threshold auto",
    )
    return None


def write_threshold(run: RunDirectory, threshold: float | None) -> None:
    """Keeps a threshold with the run; None takes it away.

    Figures of the test split by another threshold are taken away too, until it is evaluated again.

    Raises:
        RunError: it is a model of the package, or cannot be written.
    """
    check_own(run)
    before = None
    with suppress(RunError), muted():  # a damaged or an old one goes
        before = read_threshold(run)
    if threshold != before:
        _remove(run, METRICS)
    if threshold is not None:
        state = CheckpointStore(run.checkpoints).newest_state()
        fields = {"threshold": threshold, "step": state and state.best_step}
        run.write_text(THRESHOLD, dump_record(fields))
        return
    _remove(run, THRESHOLD)


def _remove(run: RunDirectory, name: str) -> None:
    try:
        (run.path / name).unlink(missing_ok=True)
    except OSError as error:
        raise RunError(f"cannot delete {run.path / name}: {error.strerror}") from error
