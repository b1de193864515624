"""Measured comparisons: `python -m benchmarks NAME` writes docs/results/NAME.json and the page."""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # of this process and of all that it starts
