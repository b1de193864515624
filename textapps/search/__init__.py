"""The best configuration that is found in a given time: Optuna and successive halving."""
