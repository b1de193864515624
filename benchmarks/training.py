"""Training runs of the benchmarks: made once, gone on with after an interruption, found again."""

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks import child
from textapps.core.config import resolve
from textapps.core.errors import ConfigurationError
from textapps.tasks.registry import get_presets
from textapps.training.checkpoint import CheckpointStore
from textapps.training.run_directory import RunDirectory

WORK = Path("models/benchmarks")
SECTIONS = ("preprocessor", "backbone", "model", "training")
MORE_SECTIONS = ("augmentation", "stem")  # that speech has besides
COSTS = ("wall_seconds", "cpu_seconds", "peak_memory_mb")


def train(
    task: str,
    work: Path,
    preset: str,
    backbone: str,
    source: list[str],
    changes: Mapping[str, str] | None = None,
) -> tuple[RunDirectory, dict[str, Any]]:
    """The finished run under `work`, and what its process took.

    `source` are options of data, `changes` other values than the preset's, by dotted key. What an
    interruption made unknown is None; the seconds of the steps, which a run counts itself, go on
    over interruptions. A run of another configuration than is wanted now is thrown away.
    """
    costs = work / "cost.json"
    changes = changes or {}
    arguments = ["--preset", preset, "--backbone", backbone, "--models-dir", str(work), *source]
    for key, value in changes.items():
        arguments += ["--set", f"{key}={value}"]
    runs = RunDirectory.all(work, task)
    flags = {"preset": preset, "backbone.kind": backbone, **changes}
    wanted = get_presets(task).resolve(flags=flags)
    if runs and not can_go_on(runs[-1], wanted):
        shutil.rmtree(work)
        runs = []
    if not runs or not runs[-1].finished:
        work.mkdir(parents=True, exist_ok=True)
        costs.unlink(missing_ok=True)
        if runs:
            arguments = ["--resume", str(runs[-1].path)]
        done = child.run([child.TEXTAPPS, task, "train", *arguments])
        cost = {
            "wall_seconds": None if runs else round(done.seconds, 1),
            "cpu_seconds": None if runs else round(done.cpu_seconds, 1),
            "peak_memory_mb": done.peak_memory_mb,
        }
        costs.write_text(json.dumps(cost))
    run = RunDirectory.latest(work, task)
    return run, json.loads(costs.read_text()) if costs.is_file() else dict.fromkeys(COSTS)


def can_go_on(run: RunDirectory, wanted: Any) -> bool:
    """Whether a run has a checkpoint, and was begun with the configuration wanted now."""
    try:
        found = resolve(type(wanted), file=run.path / "config.toml")
    except ConfigurationError:
        return False
    names = (*SECTIONS, *MORE_SECTIONS)
    same = all(getattr(found, name, None) == getattr(wanted, name, None) for name in names)
    return same and bool(CheckpointStore(run.checkpoints).steps())


def facts(run: RunDirectory) -> dict[str, Any]:
    """What a result says of how a run was trained."""
    state = CheckpointStore(run.checkpoints).newest_state()
    assert state is not None
    assert state.best_score is not None
    return {
        "preset": run.config["preset"],
        "backbone": run.config["backbone"]["kind"],
        "random_seed": run.config["random_seed"],
        "training_seconds": round(state.seconds, 1),
        "steps": state.step,
        "passes": round(state.step / state.steps_per_pass, 2),
        "best_validation": round(state.best_score, 5),
    }
