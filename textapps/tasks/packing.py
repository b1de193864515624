"""A trained run as a model that comes with the package: small, described, and not worse."""

import dataclasses
import tempfile
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from textapps.core import files
from textapps.core.config import dump_toml
from textapps.core.errors import ExportError, RunError
from textapps.core.records import dump_record, sha256_of
from textapps.pretrained.card import card
from textapps.pretrained.description import Description, Figures
from textapps.pretrained.facts import Facts
from textapps.pretrained.model import CARD, PREFIX, PretrainedModel
from textapps.tasks import lifecycle
from textapps.tasks.config import C
from textapps.tasks.evaluation import load_evaluated
from textapps.tasks.registry import get_about
from textapps.tasks.task import B, E, M, P, R, S, Task
from textapps.training.checkpoint import CheckpointStore
from textapps.training.compact import Weights
from textapps.training.data_record import DATA, read_data_record
from textapps.training.decision import THRESHOLD
from textapps.training.evaluations import METRICS, Summary, read_metrics
from textapps.training.run_directory import CONFIG, RunDirectory
from textapps.training.weights import save_compact

# How far the first figure of a task may be from that in full precision: 0.2 points.
TOLERANCE = {"bleu": 0.2}
_USUAL_TOLERANCE = 0.002


@dataclasses.dataclass(frozen=True)
class Recipe:
    """How a run becomes a pretrained model.

    source: what the packed configuration names as its data, since paths mean nothing elsewhere.
    commands: what trains it again, for the card.
    ngrams: how many n-grams the sentiment task keeps, by default all.
    """

    name: str
    facts: Facts
    source: str
    commands: tuple[str, ...]
    weights: Weights = "int8"
    ngrams: int | None = None


def pack(
    task: Task[C, S, P, B, M, R, E], run: RunDirectory, recipe: Recipe, folder: Path
) -> PretrainedModel:
    """Writes `folder`/<name> from a trained run; an existing model of this name is replaced.

    Its figures on the test split of the run are computed with the weights as they are stored, and
    compared with those in full precision.

    Raises:
        DataError: the data of the run are missing.
        ExportError: its first figure differs by more than 0.2 points, or it cannot be written.
        RunError: the run is damaged, or its training has not finished.
    """
    if not run.finished:
        raise RunError(f"{run.path} has not finished: resume it before it is packed")
    predictor = lifecycle.load(task, run)
    examples = load_evaluated(task, predictor)
    full = read_metrics(run) or _metrics(
        task.evaluate(predictor, examples, examples.part.split).summary
    )
    small = task.slimmed(predictor, recipe.ngrams)
    own = task.presets.config.model_validate(small.config)  # the same object, typed C
    config = _without_paths(own, recipe.source)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with files.directory_aside(folder / recipe.name) as aside:
            _write_run(task, run, small, config, recipe.weights, aside)
            packed = _read_again(task, aside, own)
            with tempfile.TemporaryDirectory() as elsewhere:
                packed.run.results = Path(elsewhere)  # for a baseline that is evaluated beside it
                found: Summary = task.evaluate(packed, examples, examples.part.split).summary
            _check(task.name, recipe.name, full, _metrics(found))
            summary = {**found, "run": PREFIX + recipe.name}
            RunDirectory(aside, {}).write_json(METRICS, summary)
            description = Description(
                **recipe.facts.model_dump(),
                name=recipe.name,
                backbone=config.reads_with,
                preset=config.preset,
                made=f"{datetime.now(UTC):%Y-%m-%d}",
                commands=recipe.commands,
                weights=recipe.weights,
                parameters=packed.parameters,
                figures=Figures(
                    data=found["data"],
                    split=found["split"],
                    examples=found["examples"],
                    metrics=_metrics(found),
                    full_precision=full,
                ),
                sha256={},
            )
            files.write_file(aside / CARD, card(description))
            description = description.model_copy(update={"sha256": _checksums(aside)})
            description.write(aside)
    except OSError as error:
        raise ExportError(
            f"cannot write {folder / recipe.name}: {error.strerror or error}"
        ) from error
    return PretrainedModel(folder / recipe.name, description)


def _write_run(
    task: Task[C, S, P, B, M, R, E],
    run: RunDirectory,
    predictor: R,
    config: C,
    weights: Weights,
    directory: Path,
) -> None:
    """What `lifecycle.load` needs of a run."""
    files.write_file(directory / CONFIG, dump_toml(config))
    record = read_data_record(run, labelled=task.labelled)
    del record["stamp"]  # of files that are not there
    files.write_file(directory / DATA, dump_record(record, indent=2))
    if (run.path / THRESHOLD).is_file():
        files.write_file(directory / THRESHOLD, (run.path / THRESHOLD).read_bytes())
    store = RunDirectory(directory, {})
    store.preprocessor_dir.mkdir()
    predictor.preprocessor.save(store.preprocessor_dir)
    state = CheckpointStore(run.checkpoints).newest_state()
    assert state is not None  # the run has finished
    state = dataclasses.replace(state, partial={}, step=state.best_step or state.step)
    save_compact(predictor.model, CheckpointStore(store.checkpoints), state, weights)


def _read_again(task: Task[C, S, P, B, M, R, E], directory: Path, config: C) -> R:
    """The predictor as it is stored, with the configuration that knows where its data are."""
    stored = lifecycle.load(task, RunDirectory.open(directory, task.name))
    preprocessor = task.load_preprocessor(config, stored.run.preprocessor_dir)
    return task.predictor(stored.run, config, preprocessor, stored.model, stored.labels)


def _without_paths(config: C, source: str) -> C:
    """The same without the run it started from and without paths, which mean nothing elsewhere."""
    values = config.model_dump()
    for section in values.values():
        if isinstance(section, dict):
            for key in [key for key, value in section.items() if _is_path(value)]:
                del section[key]
    values["data"]["source"] = source
    values["start"] = {}
    return type(config).model_validate(values)


def _is_path(value: object) -> bool:
    if isinstance(value, Sequence) and not isinstance(value, str):
        return any(map(_is_path, value))
    return isinstance(value, str) and Path(value).is_absolute()


def _metrics(summary: Summary) -> dict[str, float]:
    """The figures that have a value: an area under the curve of one class has none."""
    return {name: value for name, value in summary["metrics"].items() if value is not None}


def _check(task: str, name: str, full: Mapping[str, float], stored: Mapping[str, float]) -> None:
    figure = get_about(task).figures[0]
    tolerance = TOLERANCE.get(figure, _USUAL_TOLERANCE)
    if abs(full[figure] - stored[figure]) > tolerance:
        raise ExportError(
            f"{name}: {figure} is {stored[figure]:.4f} as stored and {full[figure]:.4f} in full "
            f"precision; more than {tolerance} apart: store it as float16, or with more n-grams"
        )


def _checksums(directory: Path) -> dict[str, str]:
    return {
        path.relative_to(directory).as_posix(): sha256_of(path)
        for path in sorted(directory.rglob("*"))
        if path.is_file()
    }
