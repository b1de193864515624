"""What a task is: the parts that tasks/lifecycle.py puts together, in one way for all tasks."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, Literal, Protocol, Self, TypeVar

from textapps.evaluation.reports.sections import Report
from textapps.exporting.config import ExportConfig
from textapps.tasks.config import C, Presets, TaskConfig
from textapps.tasks.rows import Row
from textapps.training.batches import BatchSource
from textapps.training.data_record import Examples
from textapps.training.evaluations import Summary
from textapps.training.run_directory import RunDirectory


class Preprocessor(Protocol):
    """What was learned from the training split before the model was: a vocabulary and the like."""

    def save(self, directory: Path) -> None:
        """Writes it, for `Task.load_preprocessor`."""


class Predictor(Protocol):
    """A trained model with all that its run directory holds, ready to answer.

    How it is asked differs from task to task. TrainedPredictor implements the rest.
    """

    @property
    def run(self) -> RunDirectory:
        """Where it was trained."""

    @property
    def config(self) -> TaskConfig:
        """Its whole configuration."""

    @property
    def labels(self) -> tuple[str, ...]:
        """The classes in the order of the scores; () where the task has none."""

    @property
    def parameters(self) -> int:
        """How many numbers the model has learned."""

    def evaluate(self, split: str = "test") -> Summary:
        """The figures on a split of the data that it was trained on."""

    def export(
        self, models_dir: Path | str = "models", *, format: str = "saved_model", **options: object
    ) -> Path:
        """Publishes the model for a server or a device; returns the directory."""

    def configured(self, options: Mapping[str, object]) -> Self:
        """The same with other values of the configuration, by dotted key."""


Labels = tuple[str, ...]
Rows = Callable[[int], int]

S = TypeVar("S", bound=Examples)
P = TypeVar("P", bound=Preprocessor)
B = TypeVar("B", bound=BatchSource)
M = TypeVar("M")
R = TypeVar("R", bound=Predictor)


@dataclass(frozen=True, kw_only=True)
class Evaluation(Generic[S]):
    """How good a model is on a split.

    examples: the split.
    summary: the figures; what `--json` prints.
    arrays: what the figures were computed from, by name, so that a later comparison or report
        need not ask the model again.
    details: other results, by the suffix of the JSON file that they are written to.
    default: whether this is the test split of the run's own data, answered as the run's
        configuration says. metrics.json and report.html are about this one.
    """

    examples: S
    summary: Summary
    arrays: Mapping[str, Any]
    details: Mapping[str, object] = field(default_factory=dict)
    default: bool = False

    @property
    def remarks(self) -> tuple[str, ...]:
        """Lines for people, below the figures."""
        return ()


E = TypeVar("E", bound=Evaluation[Any])


@dataclass(frozen=True)
class Objective:
    """What training optimises.

    loss, metrics: Keras's.
    monitor, mode: the figure of validation that decides which weights are the best, and whether
        they are those with the largest or with the smallest.
    figures: figures that Keras's metrics cannot give; called after each validation.
    """

    loss: Any
    metrics: Sequence[Any]
    monitor: str = "val_accuracy"
    mode: Literal["max", "min"] = "max"
    figures: Callable[[], Mapping[str, float]] | None = None


@dataclass(frozen=True, kw_only=True)
class Task(Generic[C, S, P, B, M, R, E]):
    """A task: how to load, train, use, evaluate and export models of the configuration C.

    S is a split of its data, P the preprocessor, B the batches to train on, M the Keras model, R
    the predictor, E an evaluation.

    name: the key in the registry, and the folder of its runs.
    presets: the class of the configuration, and its presets.
    unit: what the progress of training is counted in, such as "texts".
    best: how the best figure of validation is told, a format of one number.
    labelled: whether the examples have classes.

    check: builds a small model, to find sizes that do not fit together before data are read.
    load_training: the training and the validation split. The labels of an earlier training, to
        which the examples must belong, are () at first. DataError where data are missing or wrong.
    load_split: one split for an evaluation, with the labels of the training.
    labels: the classes of a split, in the order of the scores.
    learn: a preprocessor for the training split, and the batches of this split: together, so that
        it is encoded once. DataError or ConfigurationError where there is too little to learn from.
    load_preprocessor: reads what the preprocessor has saved; RunError if it is missing or damaged.
    training_batches: the training split in an order that follows from the random seed.
    validation_batches: every example of the validation split once.

    build_model: the model with initial weights; the labels are those of the training.
    build_trainee: the same with what training needs besides; `rows` tells how many rows of a
        batch of a given size each replica takes. None: nothing is needed besides.
    predictor: what answers by the model.
    rows: the answers to inputs as `predict` prints them, given options of the [decoding] section
        and, by name, what belongs to one call, such as a random seed.
    objective: what to optimise, given the predictor of the model in training.

    evaluate: how good the model is on the examples of the named split.
    report: what is known of an evaluation, for people.
    formats: by name, the ways to publish a model under a folder.
    """

    name: str
    presets: Presets[C]
    unit: str
    best: str
    labelled: bool = False

    check: Callable[[C], object]
    load_training: Callable[[C, Labels], tuple[S, S]]
    load_split: Callable[[C, str, Labels], S]
    labels: Callable[[S], Labels] = lambda _: ()
    learn: Callable[[C, S], tuple[P, B]]
    load_preprocessor: Callable[[C, Path], P]
    training_batches: Callable[[C, P, S], B]
    validation_batches: Callable[[C, P, S], BatchSource]

    build_model: Callable[[C, P, Labels], M]
    build_trainee: Callable[[C, P, Labels, B, Rows], M] | None = None
    predictor: Callable[[RunDirectory, C, P, M, Labels], R]
    rows: Callable[..., Iterator[Row]]
    objective: Callable[[R, S], Objective]

    evaluate: Callable[[R, S, str], E]
    report: Callable[[R, E], Report]
    formats: Mapping[str, Callable[[R, Path, ExportConfig], Path]]
