"""Runs of a task compared on the same examples."""

import json
import logging
import string
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import nullcontext, suppress
from functools import partial
from typing import Any

import numpy as np

from textapps.core.errors import DataError, RunError
from textapps.core.names import TASKS, TaskName
from textapps.core.notices import muted, notice
from textapps.core.part import ALL
from textapps.datasets.config import SourceConfig
from textapps.evaluation.comparison import ComparedRun, Comparison, Lines
from textapps.evaluation.metrics.differences import differences
from textapps.tasks import lifecycle
from textapps.tasks.answered import ASKED, Answered
from textapps.tasks.evaluation import (
    costs,
    is_same,
    load_evaluated,
    other_sources,
    warn_of_changed_data,
)
from textapps.tasks.read_before import count_read
from textapps.tasks.registry import get_about, get_task, monitor_of
from textapps.tasks.task import Labels
from textapps.training.data_record import read_data_record
from textapps.training.history import read_history
from textapps.training.run_directory import RunDirectory

LOGGER = logging.getLogger("textapps")
LETTERS = string.ascii_uppercase
SHOWN = 6  # examples of each run
ROUNDS, FEWEST_ROUNDS = 20, 3  # of taking times
BUDGET_S = 4.0  # for each run and number of inputs, beyond the fewest rounds
BYTES = 4  # of a weight in float32


def compare(
    runs: Sequence[RunDirectory],
    data: Mapping[str, object] | None = None,
    split: str | None = None,
    rounds: int | None = None,
) -> Comparison:
    """Evaluates runs of one task on the same examples; nothing is written.

    Args:
        data: values of the [data] section, such as {"source": "other.csv"}. By default the data of
            the first run that is no model of the package.
        split: train, validation, test or all; by default the test split of data that are split or
            that one of the runs was trained on, and all of other data.
        rounds: in which times are taken; more take longer.

    Raises:
        ConfigurationError: a value of `data` is wrong.
        DataError: data are missing or wrong, or are not the same examples for all runs.
        RunError: the runs cannot be compared, or one is damaged.
    """
    name = check_comparable(runs)
    task, about = get_task(name), get_about(name)
    labels = _common_labels(task, runs)
    predictors = [lifecycle.load(task, run) for run in runs]
    examples, answers = _answers(task, predictors, labels, data, split)
    times = {
        count: latencies([partial(one.ask, count) for one in answers], rounds)
        for count in (1, ASKED)
    }
    described = [
        ComparedRun(
            letter=LETTERS[number],
            name=predictor.run.name,
            origin=predictor.run.origin,
            backbone=predictor.config.backbone_size,
            preset=predictor.config.preset,
            metrics=answers[number].metrics,
            parameters=predictor.parameters,
            megabytes=BYTES * predictor.parameters / 1e6,
            milliseconds={count: of_runs[number] for count, of_runs in times.items()},
            training_seconds=costs(predictor)["seconds"],
            history=read_history(predictor.run),
            monitor=monitor_of(predictor.run),
            **_alone(answers, number),
        )
        for number, predictor in enumerate(predictors)
    ]
    return Comparison(
        task=name,
        data=examples.name,
        split=examples.part.split,
        examples=len(examples),
        example=about.example,
        asked=answers[0].asked,
        decides=about.compared[0],
        items=len(answers[0].merit),
        item=answers[0].noun,
        exact=answers[0].exact,
        runs=described,
        differences=differences(
            [one.scored for one in answers], about.compared, task.known_tests(answers)
        ),
        configuration=unlike([one.config.model_dump(mode="json") for one in predictors]),
        notes=[f"{LETTERS[i]} {one.note}" for i, one in enumerate(answers) if one.note],
    )


def check_comparable(runs: Sequence[RunDirectory]) -> TaskName:
    """The task of the runs; RunError if it is not the same, or one that answers nothing."""
    if not 2 <= len(runs) <= len(LETTERS):
        raise RunError(f"name 2 to {len(LETTERS)} runs to compare, not {len(runs)}")
    for run in runs:
        if run.task not in TASKS:
            raise RunError(f"{run.origin} is a run of {run.task}, which answers nothing to compare")
        if run.task != runs[0].task:
            raise RunError(
                f"{runs[0].origin} is a run of {runs[0].task}, {run.origin} of {run.task}: "
                "compare runs of one task"
            )
    return next(task for task in TASKS if task == runs[0].task)


def _answers(
    task: Any,
    predictors: Sequence[Any],
    labels: Labels,
    data: Mapping[str, object] | None,
    split: str | None,
) -> tuple[Any, list[Answered]]:
    """The examples as the first run reads them, and the answers of all runs."""
    base = next((one for one in predictors if not one.run.pretrained), predictors[0])
    sections = [_section(one, base, data) for one in predictors]
    own = [one.config.data for one in predictors]
    if not other_sources(sections[0]):  # the training rows of one run would be test rows of another
        known = (other_sources(one) for one in own if one.is_source_of(sections[0]))
        apart = next(filter(None, known), {})
        sections = [one.model_copy(update=apart) for one in sections]
    if split is None and any(map(SourceConfig.is_source_of, sections, own)):
        split = "test"
    first, found = None, list[Answered]()
    for section, predictor in zip(sections, predictors, strict=True):
        with muted() if found else nullcontext():  # what is to be said of the data is said once
            examples = load_evaluated(task, predictor, section, split, labels)
        if is_same(section, predictor.config.data) and split not in ("train", ALL):
            warn_of_changed_data(task, predictor.run, predictor.config, predictor.labels)
        else:
            _tell_what_was_read(task, predictor, section, examples, named=data is not None)
        first = first or examples
        found.append(task.answered(predictor, examples))
        if found[-1].identity != found[0].identity:
            raise DataError(
                f"{predictor.run.origin} and {predictors[0].run.origin} do not read the same "
                f"examples of {examples.name}: compare runs that read them alike, as in the same "
                "direction and the same Unicode form"
            )
    return first, found


def _tell_what_was_read(
    task: Any, predictor: Any, section: SourceConfig, examples: Any, *, named: bool
) -> None:
    """Warns of examples that a run was trained on, as far as that can be known.

    named: whether the examples are not those of a run's own data.
    """
    run, own = predictor.run, predictor.config
    count = None
    if task.keys is not None and not run.pretrained and own.data.files:
        with suppress(DataError), muted():
            count = count_read(task, examples, task, own, run, predictor.labels)
    if count:
        LOGGER.warning(
            "%s was trained on %s of the %s examples of %s: its figures are too good",
            run.name,
            f"{count:,}",
            f"{len(examples):,}",
            examples.name,
        )
    elif count is None and (not named or section.is_source_of(own.data)):
        notice(
            "%s may have seen these examples: its data were others, or split otherwise", run.name
        )


def _common_labels(task: Any, runs: Sequence[RunDirectory]) -> Labels:
    """Those of the first run; RunError if another has different ones."""
    of_runs: list[Labels] = [
        tuple(read_data_record(run, labelled=task.labelled).get("labels", ())) for run in runs
    ]
    for run, labels in zip(runs, of_runs, strict=True):
        if set(labels) != set(of_runs[0]):
            raise RunError(
                f"{runs[0].origin} has the labels {', '.join(of_runs[0])}; {run.origin} has "
                f"{', '.join(labels)}: compare runs with the same labels"
            )
    return of_runs[0]


def _section(predictor: Any, base: Any, data: Mapping[str, object] | None) -> SourceConfig:
    """The [data] section from which a run reads the examples; what is of the model stays."""
    own: SourceConfig = predictor.config.data
    shared: SourceConfig = base.config.data
    if data:  # others, or another way to read them
        shared = shared.changed(data).resolved()
    return shared.model_copy(update={key: getattr(own, key) for key in own.of_the_model})


def latencies(calls: Sequence[Callable[[], object]], rounds: int | None = None) -> list[float]:
    """The median milliseconds of each call after the first, the calls in turn.

    So what else the machine does meets all of them alike. There are 20 rounds unless more or fewer
    are asked for, and fewer if they take long.
    """
    times: list[list[float]] = [[] for _ in calls]
    with muted():  # of what is to be said of the inputs
        for call in calls:
            call()
        end = time.perf_counter() + BUDGET_S * len(calls)
        for done in range(ROUNDS if rounds is None else rounds):
            if done >= FEWEST_ROUNDS and time.perf_counter() > end:
                break
            for call, own in zip(calls, times, strict=True):
                began_at = time.perf_counter()
                call()
                own.append(time.perf_counter() - began_at)
    return [1_000 * float(np.median(own)) for own in times]


def _alone(answers: Sequence[Answered], number: int) -> dict[str, Any]:
    """The fields `alone` and `shown` of a run: what it does better than every other one."""
    merits = np.stack([one.merit for one in answers])
    gains = merits[number] - np.delete(merits, number, axis=0).max(axis=0)
    order = np.argsort(-gains, kind="stable")
    chosen = [int(row) for row in order[:SHOWN] if gains[row] > 0]
    shown: list[Lines] = [
        {
            **answers[0].item(row),
            **{LETTERS[i]: one.told(row) for i, one in enumerate(answers)},
        }
        for row in chosen
    ]
    return {"alone": int(np.sum(gains > 0)), "shown": shown}


def unlike(configs: Sequence[Mapping[str, Any]]) -> dict[str, list[str]]:
    """By dotted key, the values of configurations that differ.

    >>> unlike([{"a": {"b": 1, "c": [2]}, "d": None}, {"a": {"b": 1, "c": []}, "d": "x"}])
    {'a.c': ['[2]', '[]'], 'd': ['none', 'x']}
    """
    flat = [dict(_flat(config)) for config in configs]
    keys = dict.fromkeys(key for one in flat for key in one)
    rows = {key: [one.get(key, "") for one in flat] for key in keys}
    return {key: values for key, values in rows.items() if len(set(values)) > 1}


def _flat(config: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    for key, value in config.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{key}.")
        elif value is None:
            yield prefix + key, "none"
        else:
            text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
            yield prefix + key, text
