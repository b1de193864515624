"""Which examples a run is evaluated on."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

from textapps.tasks.evaluation import load_evaluated
from textapps.tasks.registry import get_task


def test_the_data_of_training_named_again_have_the_test_split_of_the_run(
    untrained: Any, tmp_path: Path
) -> None:
    """With `--test-data`, all of the rest was for training, and no part of it is a test."""
    task, known = get_task("sentiment"), untrained("sentiment", "simple_rnn")
    held = tmp_path / "held.csv"
    held.write_text(f"label,text\n{known.labels[0]},dull\n{known.labels[1]},fine\n", "utf-8")
    named = known.config.data
    own = named.model_copy(update={"test_source": str(held)})
    config = known.config.model_copy(update={"data": own})
    run: Any = SimpleNamespace(config=config, labels=known.labels, run=known.run)
    assert list(load_evaluated(task, run, named).texts) == ["dull", "fine"]
    other = named.model_copy(update={"validation_source": str(held)})  # as it says itself
    assert len(load_evaluated(task, run, other)) > 2
