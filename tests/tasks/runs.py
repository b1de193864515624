"""Small runs of the tasks, made once for all tests: a plugin of tests/conftest.py."""

import copy
import fcntl
import os
import shutil
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests.tasks.stopping import CopyHalfway
from tests.tasks.tiny import WRITERS, tiny_config

Make = Callable[[str, str], Any]


@pytest.fixture(scope="session")
def toy_data(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """`toy_data("speech")` is data of that task, which no test may change."""
    return cache(lambda task: WRITERS[task](tmp_path_factory.mktemp("data")))


@pytest.fixture(scope="session")
def tiny(toy_data: Callable[[str], Path]) -> Callable[..., Any]:
    """`tiny("speech", "gru", **{"training.epochs": 1})` is a configuration of seconds."""

    def make(task: str, kind: str, **changes: object) -> Any:
        return tiny_config(task, kind, toy_data(task), **changes)

    return make


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory, tiny: Callable[..., Any]) -> Make:
    """`trained("speech", "lstm")` is what training gives back; no test may change its run.

    It is trained once for all processes of pytest; `tiny.TRAINED` says what tests ask for.
    `stopping.halfway` has the run as it was in the middle of a pass.
    """
    base = tmp_path_factory.getbasetemp()
    shared = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "trained"

    @cache
    def train(name: str, kind: str) -> Any:
        from textapps.tasks import lifecycle
        from textapps.tasks.registry import get_task
        from textapps.training.run_directory import RunDirectory

        task, directory = get_task(name), shared / name / kind
        directory.mkdir(parents=True, exist_ok=True)
        with (directory / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            runs = RunDirectory.all(directory, name)
            if runs:
                return lifecycle.resume(task, runs[0])[0]
            progress = CopyHalfway(directory / name)
            return lifecycle.train(task, tiny(name, kind), directory, progress)[0]

    return train


@pytest.fixture(scope="session")
def untrained(tmp_path_factory: pytest.TempPathFactory, tiny: Callable[..., Any]) -> Make:
    """`untrained("speech", "gru")` is loaded from a finished run with its initial weights.

    Those of the last layer are larger, so that answers differ clearly. No test may change the run.
    """

    @cache
    def make(name: str, kind: str) -> Any:
        from textapps.tasks import lifecycle
        from textapps.tasks.registry import get_task
        from textapps.training import weights
        from textapps.training.checkpoint import CheckpointStore, TrainingState
        from textapps.training.optimizer import build_optimizer
        from textapps.training.seeding import seed_everything

        task, directory = get_task(name), tmp_path_factory.mktemp("untrained")
        made = lifecycle.begin(task, tiny(name, kind), directory)
        seed_everything(made.config.random_seed)
        model = task.model(made.config, made.preprocessor, made.labels)
        model.build()
        task.adapt(model, made.batches)
        for variable in model.trainable_variables:
            if variable.path.endswith(("head/kernel", "target_embedding/embeddings")):
                variable.assign(4 * variable)
        model.compile(build_optimizer(model, made.config.training, 9))
        passes = made.batches.steps_per_pass
        best = {"best_score": 0.5, "best_loss": 0.5, "best_step": 9}
        state = TrainingState(9, passes, seconds=1.5, stopped_by="epochs", **best)
        weights.save(CheckpointStore(made.run.checkpoints), state, model)
        return lifecycle.load(task, made.run)

    return make


# Exports of these are verified in a process of their own, and have warm-up requests.
VERIFIED = {"sentiment": "lstm", "generate": "transformer", "translate": "transformer"}
EXPLAINED = ("lstm", "transformer")  # have the signature that takes longest to trace


@pytest.fixture(scope="session")
def exported(tmp_path_factory: pytest.TempPathFactory, untrained: Make) -> Callable[..., Path]:
    """`exported("translate", "gru")` is the published export of the untrained model."""

    @cache
    def export(name: str, kind: str) -> Path:
        whole = VERIFIED.get(name) == kind
        options = {"name": f"tiny-{kind}", "verify": whole, "warmup": whole}
        options["explain"] = kind in EXPLAINED
        if name == "speech":
            options["words"] = kind in EXPLAINED
        path: Path = untrained(name, kind).export(tmp_path_factory.mktemp("exports"), **options)
        return path

    return export


PACKED = {  # the name and the backbone of the run that is packed for each task
    "sentiment": ("imdb", "transformer"),
    "generate": ("shakespeare", "lstm"),
    "translate": ("en-es", "gru"),
    "speech": ("commands", "lstm"),
}
INPUT = {"sentiment": "text", "generate": "seed", "translate": "source", "speech": "audio_bytes"}


@pytest.fixture(scope="session")
def packed(tmp_path_factory: pytest.TempPathFactory, trained: Make) -> Callable[..., Any]:
    """`packed("speech")` is a tiny pretrained model of the task in a folder of its own.

    `TEXTAPPS_PRETRAINED_DIR` is to name its parent; no test may change it.
    """

    @cache
    def make(task: str) -> Any:
        from textapps.pretrained.facts import Facts
        from textapps.tasks.packing import Recipe, pack
        from textapps.tasks.registry import get_task

        name, kind = PACKED[task]
        facts = Facts(
            task=task,
            title=f"answers for {task}",
            languages=("a toy language", "größer"),
            data="toy data",
            terms="none",
            use="tests",
            not_for="people",
            inputs=({INPUT[task]: "the film"}, {INPUT[task]: "a dog"}),
        )
        recipe = Recipe(name, facts, "toys", (f"textapps {task} train --data $TOYS",))
        run = trained(task, kind).run
        return pack(get_task(task), run, recipe, tmp_path_factory.mktemp("pretrained"))

    return make


@pytest.fixture
def copied(tmp_path: Path) -> Callable[[Any], Any]:
    """`copied(predictor)` is the same one, with its graphs, of a run that a test may change.

    The run has not been evaluated.
    """

    def copy_run(predictor: Any) -> Any:
        from textapps.training.run_directory import RunDirectory

        again = copy.copy(predictor)
        path = tmp_path / "models" / predictor.run.task / predictor.run.name
        ignored = shutil.ignore_patterns("metrics.json", "evaluations", "report.html")
        again.run = RunDirectory.open(shutil.copytree(predictor.run.path, path, ignore=ignored))
        return again

    return copy_run
