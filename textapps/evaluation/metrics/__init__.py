"""Metrics with their confidence intervals, from answers alone."""
