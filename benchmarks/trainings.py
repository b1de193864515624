"""Training runs of the benchmarks: trained once, resumed after an interruption, found again."""

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks import processes
from benchmarks.results import Figures
from textapps.core.names import training_command
from textapps.tasks.registry import get_presets
from textapps.training.checkpoint import CheckpointStore
from textapps.training.evaluations import Summary
from textapps.training.history import read_history
from textapps.training.run_directory import RunDirectory

COSTS = ("wall_seconds", "cpu_seconds", "peak_memory_mb")
RECORD = "training.json"  # what a folder's run was asked to be, and what its process took


@dataclass(frozen=True)
class Training:
    """A `textapps <task> train` with some options of data, and some changes by dotted key."""

    task: str  # or its pre-training
    preset: str
    source: tuple[str, ...]
    backbone: str | None = None  # the preset's own
    changes: Mapping[str, str] = field(default_factory=dict)

    @property
    def arguments(self) -> list[str]:
        kind = ["--backbone", self.backbone] if self.backbone else []
        words = ["--preset", self.preset, *kind, *self.source]
        for key, value in self.changes.items():
            words += ["--set", f"{key}={value}"]
        return words

    def command(self, models_dir: Path) -> list[str]:
        """The command that makes a run in a folder."""
        own = [processes.TEXTAPPS, *training_command(self.task).split()[1:], *self.arguments]
        return [*own, "--models-dir", str(models_dir), "--quiet"]

    def config(self) -> Any:
        """The configuration that the run will have, but for its data."""
        kind = {"backbone.kind": self.backbone} if self.backbone else {}
        flags = {"preset": self.preset, **kind, **self.changes}
        return get_presets(self.task).resolve(flags=flags)

    def finished(self, folder: Path, *, again: bool = False) -> tuple[RunDirectory, Figures]:
        """The finished run in a folder, and what its process took.

        A run that was interrupted is resumed, and what its process took is partly unknown. One
        that was asked to be something else is thrown away.
        """
        wanted = {"arguments": self.arguments, "config": self.config().model_dump(mode="json")}
        record = folder / RECORD
        known = json.loads(record.read_text()) if record.is_file() else {}
        if again or known.get("wanted") != wanted:
            shutil.rmtree(folder, ignore_errors=True)
        runs = RunDirectory.all(folder, self.task)
        if runs and runs[-1].finished:
            return runs[-1], known["cost"] or dict.fromkeys(COSTS)
        folder.mkdir(parents=True, exist_ok=True)
        record.write_text(json.dumps({"wanted": wanted, "cost": None}))
        resumed = bool(runs) and bool(CheckpointStore(runs[-1].checkpoints).steps())
        begin = [*self.arguments, "--models-dir", str(folder)]
        words = ["--resume", str(runs[-1].path)] if resumed else begin
        done = processes.textapps(*training_command(self.task).split()[1:], *words)
        seconds = (None, None) if resumed else (round(done.seconds, 1), round(done.cpu_seconds, 1))
        cost = dict(zip(COSTS, (*seconds, done.peak_memory_mb), strict=True))
        record.write_text(json.dumps({"wanted": wanted, "cost": cost}))
        return RunDirectory.latest(folder, self.task), cost


def evaluated(run: RunDirectory) -> Summary:
    """The summary of `textapps <task> evaluate`."""
    words = ("evaluate", "--run", str(run.path), "--json", "--quiet")
    summary: Summary = json.loads(processes.textapps(run.task, *words).stdout)
    return summary


def exported(run: RunDirectory, models_dir: Path, *options: str) -> Path:
    """The folder that `textapps <task> export` has written."""
    words = ("export", "--run", str(run.path), "--models-dir", str(models_dir), "--quiet")
    return Path(processes.textapps(run.task, *words, *options).stdout.splitlines()[-1])


def sample(task: str, backbone: str, work: Path, preset: str = "small") -> RunDirectory:
    """A run on the bundled sample, after one pass: its answers take as long as a good model's."""
    folder = work / f"sample-{task}-{preset}-{backbone}"
    source = ("--data", "sample")
    return Training(task, preset, source, backbone, {"training.epochs": "1"}).finished(folder)[0]


def history(models_dir: Path, task: str) -> list[dict[str, float]]:
    """The rows of the one run of a task in a folder, none if there is no run yet."""
    runs = RunDirectory.all(models_dir, task)
    return [{k: float(v) for k, v in row.items()} for run in runs for row in read_history(run)]


def facts(run: RunDirectory) -> Figures:
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
