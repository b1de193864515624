"""How much each key of a space matters."""

import warnings
from collections.abc import Iterable

import optuna
from optuna.trial import FrozenTrial, create_trial

FEWEST = 8  # trials


def importances(stored: Iterable[FrozenTrial]) -> dict[str, float]:
    """The share of each key in the scores at the first rung; {} for too few trials.

    PED-ANOVA (Watanabe et al. 2023). Later scores would be of the best trials alone.
    """
    study = optuna.create_study(direction="maximize")
    for frozen in stored:
        if frozen.intermediate_values:
            value = frozen.intermediate_values[min(frozen.intermediate_values)]
            params, distributions = frozen.params, frozen.distributions
            study.add_trial(create_trial(value=value, params=params, distributions=distributions))
    if len(study.trials) < FEWEST:
        return {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return dict(optuna.importance.get_param_importances(study))
        except (RuntimeError, ValueError):  # all scores are the same
            return {}
