"""The sampler of a search: Optuna's tree-structured Parzen estimator, seeded by trial."""

from typing import Any

from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler, TPESampler
from optuna.study import Study
from optuna.trial import FrozenTrial

RANDOM_TRIALS = 8  # before the estimator has something to go by


class NumberedSampler(BaseSampler):
    """Draws what depends on the seed, the number of the trial and the trials before it alone.

    So a search that was killed draws the same as one that was not, and processes that share a study
    do not draw the same.
    """

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._number, self._sampler = -1, TPESampler()

    def infer_relative_search_space(
        self, study: Study, trial: FrozenTrial
    ) -> dict[str, BaseDistribution]:
        """As the estimator does it."""
        return self._of(trial).infer_relative_search_space(study, trial)

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        """As the estimator does it."""
        return self._of(trial).sample_relative(study, trial, search_space)

    def sample_independent(
        self,
        study: Study,
        trial: FrozenTrial,
        param_name: str,
        param_distribution: BaseDistribution,
    ) -> Any:
        """As the estimator does it."""
        return self._of(trial).sample_independent(study, trial, param_name, param_distribution)

    def _of(self, trial: FrozenTrial) -> TPESampler:
        if trial.number != self._number:
            seed = (1_000_003 * (self._seed + 1) + trial.number) % 2**32
            self._number = trial.number
            self._sampler = TPESampler(n_startup_trials=RANDOM_TRIALS, seed=seed)
        return self._sampler
