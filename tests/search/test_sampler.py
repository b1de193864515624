"""What a new trial keeps of the best one."""

import math
from dataclasses import replace
from pathlib import Path

import pytest

from tests.search.test_study import begin, facts, space
from textapps.search.sampler import CHANGED_SHARE

BEST_RATE = 1.75  # times that of the preset


@pytest.mark.slow
def test_a_trial_changes_a_few_values_of_the_best(tmp_path: Path) -> None:
    study, of = begin(tmp_path / "s.db"), space()
    study._study.enqueue_trial({**of.points[0], "training.learning_rate": BEST_RATE})
    for score in (0.5, 0.7):  # the preset, and a better one
        study.stop(study.ask(of).id, {0: 0.3}, facts(score), ended=True)
    best = {**of.points[0], "training.learning_rate": BEST_RATE}
    changed: list[set[str]] = []
    for _ in range(30):
        asked = study.ask(of)
        changed.append({key for key, value in asked.point.items() if value != best[key]})
        study.stop(asked.id, {0: 0.1}, facts(0.1), ended=False)
    assert all(any(key.startswith("training.") for key in keys) for keys in changed)
    mean = sum(map(len, changed)) / len(changed)
    assert mean == pytest.approx(CHANGED_SHARE * len(of.dimensions), rel=0.4)
    assert set.union(*changed) == of.dimensions.keys()  # each has its turn


@pytest.mark.slow
def test_no_longer_training_is_drawn_than_there_is_time_for(tmp_path: Path) -> None:
    study, of = begin(tmp_path / "s.db"), space()
    study.stop(study.ask(of).id, {}, facts(0.5), ended=True)
    costs = []
    for _ in range(25):
        asked = study.ask(of, most_cost=1.5)
        study.stop(asked.id, {0: 0.1}, facts(0.1), ended=False)
        costs.append(math.prod(of.dimensions[k].cost_of(v) for k, v in asked.point.items()))
    assert max(costs) == pytest.approx(1.5)  # some take all of it
    assert min(costs) < 0.9


def test_the_first_that_is_drawn_has_as_many_passes_as_there_is_time_for(tmp_path: Path) -> None:
    study, of = begin(tmp_path / "s.db"), space()
    study.stop(study.ask(of, most_cost=1.7).id, {}, facts(0.5), ended=True)
    second, third = (study.ask(of, most_cost=1.7).point for _ in range(2))
    assert second == {**of.points[0], "training.epochs": pytest.approx(1.7)}
    assert third["training.epochs"] != second["training.epochs"]
    study = begin(tmp_path / "short.db")
    study.stop(study.ask(of).id, {}, facts(0.5), ended=True)
    assert study.ask(of, most_cost=1.05).point["training.epochs"] <= 1.05


def test_a_preset_that_got_worse_before_its_end_gets_no_more_passes(tmp_path: Path) -> None:
    study, of = begin(tmp_path / "s.db"), space()
    preset = study.ask(of)
    peaked = replace(facts(0.5), step=9, best_step=6)
    study.stop(preset.id, {}, peaked, ended=True)
    second = study.ask(of, most_cost=1.7).point
    changed = {key for key, value in second.items() if value != preset.point[key]}
    assert changed != {"training.epochs"}


def test_one_over_a_limit_is_not_the_best(tmp_path: Path) -> None:
    study, of = begin(tmp_path / "s.db"), space()
    study._study.enqueue_trial({**of.points[0], "training.learning_rate": BEST_RATE})
    study.stop(study.ask(of).id, {}, facts(0.5), ended=True)
    study.stop(study.ask(of).id, {}, facts(0.7, fits=False), ended=True)
    rates = []
    for _ in range(12):
        rates.append(study.ask(of).point["training.learning_rate"])
    assert BEST_RATE not in rates
    assert rates.count(1.0) >= 3


def test_without_one_within_the_limits_the_smallest_is_changed(tmp_path: Path) -> None:
    study, of = begin(tmp_path / "s.db"), space()
    study.stop(study.ask(of).id, {}, facts(0.5, fits=False), ended=True)
    centre = {**of.points[0], "training.learning_rate": BEST_RATE}
    points = [study.ask(of, math.inf, centre).point for _ in range(12)]
    assert sum(one["training.learning_rate"] == BEST_RATE for one in points) >= 3


def test_of_lists_one_value_differs(tmp_path: Path) -> None:
    of = space()
    of.dimensions = {key: one for key, one in of.dimensions.items() if one.choices}
    assert len(of.dimensions) > 2
    study = begin(tmp_path / "s.db", of=of)
    best = study.ask(of)
    study.stop(best.id, {}, facts(0.5), ended=True)
    assert all(study.ask(of).point != best.point for _ in range(12))
