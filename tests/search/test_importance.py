"""The importance of keys, where it is known."""

import optuna
import pytest

from textapps.search.importance import FEWEST, importances


def trials(count: int, matters: str) -> list[optuna.trial.FrozenTrial]:
    """Trials of two keys, of which one alone decides on the score."""
    study = optuna.create_study(direction="maximize", sampler=optuna.samplers.RandomSampler(seed=1))
    distribution = optuna.distributions.FloatDistribution(0, 1)
    for _ in range(count):
        trial = study.ask({"a": distribution, "b": distribution})
        trial.report(-abs(trial.params[matters] - 0.5), 0)
        study.tell(trial, state=optuna.trial.TrialState.PRUNED)
    return study.trials


@pytest.mark.parametrize(("matters", "other"), [("a", "b"), ("b", "a")])
def test_the_key_that_decides_is_the_important_one(matters: str, other: str) -> None:
    found = importances(trials(60, matters))
    assert found[matters] > 3 * found[other]
    assert sum(found.values()) == pytest.approx(1)


def test_of_few_trials_or_equal_scores_nothing_is_said() -> None:
    assert importances(trials(FEWEST - 1, "a")) == {}
    same = trials(20, "a")
    for trial in same:
        trial.intermediate_values[0] = 0.5
    assert set(importances(same).values()) <= {0.0, 0.5} or importances(same) == {}
