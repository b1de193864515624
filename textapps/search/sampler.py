"""The sampler of a search: small changes of the best configuration so far.

Most configurations that differ from a preset in every key are bad. So a trial keeps most values of
the best one and changes a few, as fastText's autotune does; what they are changed to is drawn by
Optuna's tree-structured Parzen estimator. Values that would make a training too long are lowered to
what there is time for. The first trial that is drawn is the best one so far with as many passes as
there is time for: on few data a preset often has too few.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler, TPESampler
from optuna.study import Study
from optuna.trial import FrozenTrial, TrialState

from textapps.search.dimension import Dimension
from textapps.search.stored import FACTS, OF

RANDOM_TRIALS = 8  # before the estimator has something to go by
CHANGED_SHARE = 1 / 3  # of the keys
_PASSES = "training.epochs"
MORE = 1.1  # times the passes of the preset, for a trial that is about them alone


class NumberedSampler(BaseSampler):
    """Draws what depends on the seed, the number of the trial and the trials before it alone.

    So a search that was killed draws the same as one that was not, and processes that share a study
    do not draw the same.
    """

    def __init__(self, seed: int) -> None:
        self.prepare({}, math.inf, None, given=0)
        self._seed = seed
        self._number, self._sampler = -1, TPESampler()
        self._random, self._different = np.random.default_rng(seed), ""  # the key that must change
        self._best: dict[str, Any] = {}
        self._kept: dict[str, Any] = {}
        self._known: dict[str, Any] = {}  # these, and what was drawn

    def prepare(
        self,
        dimensions: Mapping[str, Dimension],
        most_cost: float,
        centre: Mapping[str, Any] | None,
        *,
        given: int,
    ) -> None:
        """Before a trial is asked for.

        Args:
            dimensions: of the space, by key.
            most_cost: how many times as long as the preset's a training may take.
            centre: the point to change, by default that of the best trial.
            given: how many points of the study are not drawn.
        """
        self._dimensions, self._most_cost = dimensions, most_cost
        self._centre, self._given = centre, given

    def infer_relative_search_space(
        self, study: Study, trial: FrozenTrial
    ) -> dict[str, BaseDistribution]:
        """Nothing: each key is drawn by itself."""
        return {}

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        """Nothing."""
        return {}

    def sample_independent(
        self,
        study: Study,
        trial: FrozenTrial,
        param_name: str,
        param_distribution: BaseDistribution,
    ) -> Any:
        """The value of the best trial so far, or as the estimator draws it."""
        if trial.number != self._number:
            self._begin(study, trial.number)
        if param_name in self._kept:
            return self._kept[param_name]
        choices = self._dimensions[param_name].choices
        if param_name == self._different and len(choices) > 1:
            others = [each for each in choices if each != self._best[param_name]]
            drawn = others[self._random.integers(len(others))]
        else:
            drawn = self._sampler.sample_independent(study, trial, param_name, param_distribution)
        costs = (self._dimensions[key].cost_of(value) for key, value in self._known.items())
        left = self._most_cost / math.prod(costs)
        self._known[param_name] = self._dimensions[param_name].affordable(drawn, left)
        return self._known[param_name]

    def _begin(self, study: Study, number: int) -> None:
        seed = (1_000_003 * (self._seed + 1) + number) % 2**32
        self._number = number
        self._sampler = TPESampler(n_startup_trials=RANDOM_TRIALS, seed=seed)
        self._random = random = np.random.default_rng(seed)
        keys = list(self._dimensions)
        changed = {key for key in keys if random.random() < CHANGED_SHARE}
        # So that no trial is the same as the best: a number that is drawn anew differs, as a rule.
        numbers = [key for key in keys if not self._dimensions[key].choices]
        always = [key for key in numbers if key.startswith("training.")]
        self._different = str(random.choice(always or numbers or keys))
        changed.add(self._different)
        trials = study.get_trials(deepcopy=False)
        best = best_point(trials) if self._centre is None else dict(self._centre)
        self._best = best
        self._kept = {key: value for key, value in best.items() if key not in changed}
        first = sum(OF not in one.user_attrs for one in trials) == self._given + 1
        if first and not _peaked(trials[0]) and (longest := self._longest) is not None:
            self._kept = {**best, _PASSES: longest}
        self._known = dict(self._kept)

    @property
    def _longest(self) -> Any:
        """As many passes as there is time for; None if they are hardly more than the preset's."""
        passes = self._dimensions.get(_PASSES)
        if passes is None or passes.choices or math.isinf(self._most_cost):
            return None
        longest = passes.affordable(passes.high, self._most_cost)
        return longest if passes.ratio(longest) >= MORE else None


def _peaked(trial: FrozenTrial) -> bool:
    """Whether its training got worse before its end, so that more passes will hardly help."""
    facts = trial.user_attrs.get(FACTS, {})
    return bool(0 < facts.get("best_step", 0) < facts.get("step", 0))


def best_point(trials: Sequence[FrozenTrial]) -> dict[str, Any]:
    """That of the best trial that was trained to its end and is within the limits.

    If there is none, that of the first trial.
    """
    ended = [one for one in trials if one.state == TrialState.COMPLETE]
    fitting = [one for one in ended if one.user_attrs[FACTS]["fits"]]
    if fitting:
        return dict(max(fitting, key=lambda one: one.value or 0.0).params)
    return dict(trials[0].params)
