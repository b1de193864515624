"""Searches of every task on tiny data."""

from pathlib import Path
from typing import Any

from tests.search.simulated import Silent
from tests.tasks.tiny import TINY
from textapps.evaluation.searched import Searched
from textapps.search import run as searches
from textapps.search.run import Settings
from textapps.training.run_directory import RunDirectory

RATE = "training.learning_rate"
# Few steps, because eager ones are slow.
LARGE = {"sentiment": 94, "generate": 20, "translate": 600, "speech": 60}
KINDS = {"sentiment": "simple_rnn", "generate": "lstm", "translate": "gru", "speech": "lstm"}


def settings(task: str, source: Path, **changes: Any) -> Settings:
    """A search of three trials; minutes are many, because tests may be slow."""
    own = {**TINY[task], "data.source": str(source), "training.epochs": 2}
    own["training.batch_size"] = LARGE[task]
    own.pop("training.checkpoint_steps", None)
    del own[RATE]
    flags = {**own, RATE: "0.005..0.02", **changes.pop("flags", {})}
    made = {"minutes": 60, "trials": 3, "kinds": (KINDS[task],), **changes}
    return Settings(flags=flags, **made)


def searched(
    task: Any, models: Path, of: Settings, **options: Any
) -> tuple[RunDirectory, Searched]:
    return searches.begin(task, of, models, Silent(), **options)
