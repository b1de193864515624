"""How good a model is: metrics with intervals, a classical baseline, and the report with plots."""
