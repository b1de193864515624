"""The course of a search, from its first trial to its report."""

from pathlib import Path

from textapps.core.notices import notice
from textapps.evaluation.reports.report import write_report
from textapps.evaluation.reports.search import search_report
from textapps.evaluation.searched import Searched
from textapps.search import finals
from textapps.search.growth import OutgrownError
from textapps.search.result import (
    NoResultError,
    clear_away,
    conclude,
    deleted_if_interrupted,
)
from textapps.search.search import Search
from textapps.training.interruption import (
    PromptInterruption,
    TrainingInterrupted,
    TrainingTerminated,
)
from textapps.training.run_directory import RunDirectory

PAGE = "search.html"  # of the run that a search ends with


def conduct(search: Search, models_dir: Path, *, keep_runs: bool) -> tuple[RunDirectory, Searched]:
    """Trains all that there is time for, writes the result and its report, and ends the search.

    A process that is killed before it has written them can be followed by another, as what that
    needs is deleted last.

    Args:
        keep_runs: whether the runs of all trials stay.

    Raises:
        RunError: there is no result, or it cannot be written.
        TrainingInterrupted: Ctrl-C was pressed before there was a result, or SIGTERM came.
        OutgrownError: as `search.between`; the search is then to be resumed.
    """
    search.study.enter()
    search.study.spend(search.allowance.spent)
    same = "" if search.alone else ", with the same --storage and --study"
    remedy = f"go on with `textapps {search.trainer.task.name} search --resume`{same}"
    try:
        with PromptInterruption() as signals:
            search.check = signals.check
            interrupted = not _came_to_its_end(search, signals, remedy)
            try:
                run, found = conclude(
                    search, models_dir, test=search.tail.is_possible, interrupted=interrupted
                )
            except NoResultError:
                _leave(search, keep_runs=keep_runs)
                raise
            with deleted_if_interrupted(run):
                write_results(run, found)
            _leave(search, keep_runs=keep_runs)
    except OutgrownError:
        search.study.spend(search.allowance.spent)
        raise OutgrownError(search.trainer.folder.name) from None
    except TrainingTerminated:  # there may be little time before it is killed
        search.study.spend(search.allowance.spent)
        raise TrainingTerminated(f"terminated; {remedy}") from None
    except TrainingInterrupted:
        raise
    except KeyboardInterrupt:  # while the result was written
        raise TrainingInterrupted(f"interrupted; {remedy}") from None
    return run, found


def write_results(run: RunDirectory, found: Searched) -> None:
    """search.json and search.html of the run that a search ends with.

    Raises:
        OSError, RunError: they cannot be written.
    """
    run.write_json("search.json", found.document)
    write_report(run.path / PAGE, search_report(found))


def _came_to_its_end(search: Search, signals: PromptInterruption, remedy: str) -> bool:
    """Trains all that there is time for; False if Ctrl-C ended that."""
    try:
        search.explore()
        finals.play(search)
    except TrainingTerminated:
        raise
    except KeyboardInterrupt:
        if not any(trial.usable for trial in search.study.trials()):
            raise TrainingInterrupted(f"interrupted before there was a result; {remedy}") from None
        signals.caught()
        search.tail.leave_out()
        notice("interrupted: ends with the best so far")
        return False
    finally:
        search.progress.finish()
    return True


def _leave(search: Search, *, keep_runs: bool) -> None:
    """Ends the search, if no other process is at work in it."""
    others = search.study.leave()
    if not keep_runs and not any(process.is_here for process in others):
        clear_away(search, alone=not others)
    if not others:
        search.study.finish()
