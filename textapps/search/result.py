"""The end of a search: the run that it gives, and what is told of all trials."""

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from textapps.core.errors import DataError, RunError, TextappsError
from textapps.core.notices import muted, notice
from textapps.evaluation.comparison import Comparison
from textapps.evaluation.metrics.differences import is_less_better
from textapps.evaluation.searched import Searched, Tried, front
from textapps.search.failures import REPEATED
from textapps.search.finals import best_trainings
from textapps.search.halving import LOWER_RUNGS, REDUCTION
from textapps.search.importance import importances
from textapps.search.keeping import delete, is_local
from textapps.search.limits import Limits, megabytes
from textapps.search.narrowing import START
from textapps.search.search import Search
from textapps.search.space import KIND
from textapps.search.trial import Facts, Trial, smallest
from textapps.tasks.comparison import compare, unlike
from textapps.training.interruption import TrainingTerminated
from textapps.training.run_directory import RunDirectory
from textapps.training.run_keeping import keep_copy
from textapps.training.start_config import FROM_NOTHING

TEST_ROUNDS = 3  # of taking times
SHOWN_CHANGES = 6  # of a trial


class NoResultError(RunError):
    """No trial may be the result, and none will be if the search goes on."""


def conclude(
    search: Search, models_dir: Path, *, test: bool, interrupted: bool = False
) -> tuple[RunDirectory, Searched]:
    """Copies the best run to the others of its task, and gathers what is known of all trials.

    Args:
        test: whether to evaluate it, and the preset, on the test split.
        interrupted: whether Ctrl-C has ended the search.

    Raises:
        NoResultError: no trial has been validated, or none is within the limits; the smallest is
            told.
        RunError: the run cannot be copied.
        TrainingTerminated: SIGTERM came.
    """
    trials = search.study.trials()
    trainings = best_trainings(trials)
    if not trainings:
        raise NoResultError(_nothing(trials, search.trainer.limits))
    trial, facts = trainings[0]
    config = search.trainer.task.presets.of_run(facts.path / "config.toml")
    run = keep_copy(RunDirectory.open(facts.path), models_dir, config)
    preset = trials[0]
    with deleted_if_interrupted(run):
        compared = _tested(run, preset, trial) if test else None
    first = search.space.config(preset.point)
    if preset.facts is not None and is_local(preset.facts.run, preset.facts.host):
        first = search.trainer.task.presets.of_run(preset.facts.path / "config.toml")
    baseline = search.study.measured.get("baseline", {}).get(facts.monitor)
    found = Searched(
        task=run.task,
        run=str(run.path),
        data=Path(config.data.source).name,
        metric=facts.monitor,
        less=is_less_better(facts.monitor),
        chosen=trial.number,
        tried=_tried(search, trials, {trial.number: facts}),
        seconds_named=search.allowance.seconds,
        seconds_used=round(search.allowance.spent, 1),
        preset_seconds=preset.facts.whole_seconds if preset.facts else 0.0,
        baseline=baseline,
        importances=importances(search.study.stored()),
        space={key: one.told for key, one in search.space.dimensions.items()},
        changes=_changes(first, config),
        test=compared,
        notes=list(
            _notes(
                run.task,
                trials,
                trial,
                facts,
                baseline,
                tested=compared is not None,
                cut=interrupted,
            )
        ),
    )
    return run, found


@contextmanager
def deleted_if_interrupted(run: RunDirectory) -> Iterator[None]:
    """The search goes on later, and copies its result then."""
    try:
        yield
    except KeyboardInterrupt:
        delete(run.path)
        raise


def clear_away(search: Search, *, alone: bool) -> None:
    """Deletes the runs of all trials on this machine, whose best has been copied.

    alone: whether no other machine, whose runs may be in the same folder, is at work.
    """
    if alone:  # those of finals that were stopped, too
        for run in RunDirectory.all(search.trainer.folder, search.trainer.task.name):
            delete(run.path)
    for trial in search.study.trials():
        for facts in (trial.facts, *trial.finals):
            if facts is not None and is_local(facts.run, facts.host):
                delete(facts.path)


def _notes(
    task: str,
    trials: Sequence[Trial],
    chosen: Trial,
    facts: Facts,
    baseline: float | None,
    *,
    tested: bool,
    cut: bool,
) -> Iterator[str]:
    """What a reader should know of a result; `cut` if Ctrl-C has ended the search."""
    if cut:
        yield "Ctrl-C ended the search before its time."
    others = [trial for trial in trials if trial.number and trial.facts is not None]
    if not others and len(trials) > 1:
        yield "No trial but the preset came to a validation: a search wants ten times as long."
    elif not others:
        yield "Nothing but the preset was tried: a search wants ten times as long as a training."
    elif chosen.number == 0:
        yield "No trial was better than the preset, which is the result."
    if not facts.whole:
        yield f"Its training was cut short, after step {facts.step:,} of {facts.total_steps:,}."
    if len(chosen.whole_trainings) < 2 and not cut:
        yield "There was no time to train it to its end on a second random seed."
    if chosen.number and not tested:
        yield f"Not evaluated on the test split: `textapps {task} evaluate` does that."
    sign = -1 if is_less_better(facts.monitor) else 1
    if baseline is not None and sign * facts.best < sign * baseline:
        yield "The classical baseline is better than the result."


def _nothing(trials: Sequence[Trial], limits: Limits) -> str:
    """Why there is no result."""
    least = smallest(trials)
    size = None if least is None else least.size
    if least and size and limits.megabytes is not None and size > limits.megabytes:
        return (
            f"no trial is within --max-size {limits.megabytes:g}MB: the smallest, trial "
            f"{least.number}, has {size:.2f} MB; allow more, or choose a smaller --preset"
        )
    known = [trial.facts for trial in trials if trial.facts is not None]
    timed = [facts.milliseconds for facts in known if limits.fit(facts.parameters, None)]
    if limits.milliseconds is not None and (fastest := [t for t in timed if t is not None]):
        return (
            f"no trial is within --max-ms {limits.milliseconds:g}: the fastest takes "
            f"{min(fastest):.1f} ms; allow more, or a smaller preset"
        )
    return "no trial came to its first validation: give more minutes"


def _tested(run: RunDirectory, preset: Trial, chosen: Trial) -> Comparison | None:
    """The result and the preset on the test split; None if that cannot be, or at Ctrl-C."""
    if chosen.number == 0 or preset.facts is None:
        return None
    if not is_local(preset.facts.run, preset.facts.host):
        return None
    try:
        with muted():
            runs = [run, RunDirectory.open(preset.facts.path)]
            return compare(runs, split="test", rounds=TEST_ROUNDS)
    except (DataError, RunError) as error:
        notice("not evaluated on the test split: %s", error)
    except TrainingTerminated:
        raise
    except KeyboardInterrupt:
        notice("interrupted: ends without the test split")
    return None


def _tried(search: Search, trials: Sequence[Trial], results: Mapping[int, Facts]) -> list[Tried]:
    """A row for each trial; `results` has the training that is the result, by its number."""
    fronts = _fronts(trials)
    rows = []
    for trial in trials:
        if trial.failed.startswith(REPEATED):
            continue
        facts = trial.facts
        rows.append(
            Tried(
                number=trial.number,
                backbone=_backbone(search, trial),
                changes=_told_changes(search, trial),
                reached=_reached(trial),
                best=results.get(trial.number, facts).best if facts else None,
                seeds=[one.best for one in trial.whole_trainings],
                after_seconds=trial.after_seconds,
                seconds=facts.seconds if facts else 0.0,
                parameters=facts.parameters if facts else 0,
                megabytes=megabytes(facts.parameters) if facts else 0.0,
                milliseconds=facts.milliseconds if facts else None,
                ended=trial.ended,
                fits=facts.fits if facts else True,
                front=trial.id in fronts,
            )
        )
    return rows


def _fronts(trials: Sequence[Trial]) -> set[int]:
    """The ids of the trials trained to their ends that none beats in everything."""
    known = [trial for trial in trials if trial.ended and trial.facts and trial.facts.parameters]

    def row(facts: Facts | None) -> tuple[float, ...]:
        assert facts is not None
        slowest = math.inf  # as far as is known
        milliseconds = slowest if facts.milliseconds is None else facts.milliseconds
        return (-facts.score, facts.parameters, milliseconds)

    on_front = front([row(trial.facts) for trial in known])
    return {trial.id for trial, best in zip(known, on_front, strict=True) if best}


def _reached(trial: Trial) -> str:
    if trial.failed:
        return trial.failed
    if trial.ended:
        return "to its end" if trial.whole_trainings else "cut short"
    if trial.rung < 0:
        return "not validated"
    return f"1/{REDUCTION ** (LOWER_RUNGS - trial.rung)}"


def _backbone(search: Search, trial: Trial) -> str:
    """That of its configuration: a trial that starts from a run has the backbone of the run."""
    try:
        return str(search.space.config(trial.point).reads_with)
    except TextappsError:
        return str(trial.point.get(KIND, search.space.base.reads_with))


def _told_changes(search: Search, trial: Trial) -> str:
    """What a trial does otherwise than the preset, in words, the backbone left out."""
    if trial.number == 0:
        return ""
    try:
        config = search.space.config(trial.point)
    except TextappsError:
        return ""
    start = trial.point.get(START, FROM_NOTHING)
    told = [] if start == FROM_NOTHING else [f"from {start}"]
    changes = _changes(search.space.base, config)
    searched = [
        key
        for key, dimension in search.space.dimensions.items()
        if key in changes
        and key not in (KIND, START)
        and (start == FROM_NOTHING or dimension.with_start)  # the rest is that of the start
    ]
    told += [f"{key.rpartition('.')[2]} {changes[key][1]}" for key in searched]
    return "\n".join(", ".join(told[i : i + 3]) for i in range(0, len(told), 3))


def _changes(first: Any, config: Any) -> Mapping[str, Sequence[str]]:
    left_out = {"random_seed": True, "data": True}
    pair = [json.loads(one.model_dump_json(exclude=left_out)) for one in (first, config)]
    return unlike(pair)
