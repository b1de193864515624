"""What a task is: the functions that tasks/lifecycle.py calls, the same ones for every task."""

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, Literal, Protocol, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from textapps.datasets.stamp import training_files
from textapps.evaluation.reports.sections import Report
from textapps.exporting.config import ExportConfig
from textapps.interpret.request import Request
from textapps.interpret.section import Seen
from textapps.savedmodel.manifest import Example
from textapps.tasks.answered import Answered, Ask, KnownTests
from textapps.tasks.config import C, Presets, TaskConfig
from textapps.tasks.rows import Row
from textapps.training.adversarial import Adversarial
from textapps.training.batches import BatchSource
from textapps.training.data_record import Examples
from textapps.training.evaluations import Summary
from textapps.training.run_directory import RunDirectory

Labels = tuple[str, ...]
Data = str | Path | Mapping[str, object]
"""A source of examples, or values of the [data] section such as `source` and `text_column`."""


class Preprocessor(Protocol):
    """What is fitted to the training split before the model: a vocabulary, a normalisation."""

    def save(self, directory: Path) -> None:
        """Writes the files that `Task.load_preprocessor` reads."""


class Model(Protocol):
    """A Keras model that knows the shapes of its inputs."""

    def build(self) -> None:
        """Creates all weights."""


class Predictor(Protocol):
    """A trained model, loaded from its run directory and ready to answer.

    Each task adds its own methods, such as `predict`. TrainedPredictor implements those here.
    """

    @property
    def run(self) -> RunDirectory:
        """Where it was trained."""

    @property
    def config(self) -> TaskConfig:
        """Its configuration."""

    @property
    def labels(self) -> tuple[str, ...]:
        """The classes in the order of the scores; () where the task has none."""

    @property
    def preprocessor(self) -> Preprocessor:
        """What was fitted to the training split before the model."""

    @property
    def model(self) -> Any:
        """The Keras model with its weights."""

    @property
    def parameters(self) -> int:
        """The number of parameters of the model."""

    def evaluate(self, split: str | None = None, data: Data | None = None) -> Summary:
        """The figures on a split of its own data or of others."""

    def export(
        self,
        models_dir: Path | str | None = None,
        *,
        format: str = "saved_model",
        **options: object,
    ) -> Path:
        """Publishes the model for a server or a device; returns the directory."""

    def configured(self, options: Mapping[str, object]) -> Self:
        """The same predictor with other values of the configuration, by dotted key."""


Rows = Callable[[int], int]

S = TypeVar("S", bound=Examples)
P = TypeVar("P", bound=Preprocessor)
B = TypeVar("B", bound=BatchSource)
M = TypeVar("M", bound=Model)
R = TypeVar("R", bound=Predictor)


@dataclass(frozen=True, kw_only=True)
class Evaluation(Generic[S]):
    """How good a model is on a split.

    examples: the split.
    summary: the figures; what `--json` prints.
    arrays: what the figures were computed from, by name; a later comparison or report reads them
        instead of running the model again.
    details: other results, by the suffix of the JSON file that they are written to.
    default: whether this is the test split of the run's own data, with the run's own options.
        metrics.json and report.html are about this one.
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
    monitor, mode: the validation metric that selects the best weights, and its direction.
    figures: computes metrics that Keras cannot; called after each validation.
    class_weights: float32[classes], what the loss of an example of each class is multiplied by in
        training; None for tasks without classes, and for classes that count the same.
    adversarial: a second loss that training adds, None for none.
    """

    loss: Any
    metrics: Sequence[Any]
    monitor: str = "val_accuracy"
    mode: Literal["max", "min"] = "max"
    figures: Callable[[], Mapping[str, float]] | None = None
    class_weights: NDArray[np.float32] | None = None
    adversarial: Adversarial | None = None


@dataclass(frozen=True, kw_only=True)
class Task(Generic[C, S, P, B, M, R, E]):
    """A task: how to load, train, use, evaluate and export models of the configuration C.

    S is the type of a split, P of the preprocessor, B of the training batches, M of the Keras
    model, R of the predictor and E of an evaluation.

    name: the key in the registry and the folder of its runs.
    presets: the configuration class and its presets.
    unit: the unit of progress in training, such as "texts".
    best: by the name of a validation metric that can select the best weights, how its value is
        printed: a format string for one number.
    labelled: whether examples have classes.

    check: a small model, not built yet, so that sizes that do not fit together are found before
        data are read.
    load_training: the training and the validation split. When a run is resumed, the labels are
        those of the run, else (). DataError if data are missing or wrong.
    files: what load_training reads: files, and folders with all files below them; none if the
        data are a prepared set.
    load_split: one split for an evaluation, given the labels of the run. For None, the test split
        of data that are split, all of other data.
    settle: the configuration with what depends on the training split decided; a new run records
        it.
    labels: the classes of a split, in the order of the scores.
    learn: fits the preprocessor to the training split and returns it with the training batches,
        so that the split is encoded once. It begins with that of the run to start from, if there
        is one. DataError or ConfigurationError if there is too little to learn from.
    load_preprocessor: reads a saved preprocessor; RunError if it is missing or damaged.
    training_batches: the training split, in an order that follows from the random seed.
    validation_batches: every example of the validation split once.

    model: the model, not built yet.
    trainee: the model with what only training needs; the last argument maps the size of a batch to
        the rows of each replica. None: training needs nothing else.
    vocabulary_size: the number of ids of a preprocessor whose vocabulary can be extended; None:
        it cannot.
    lenders: by name, the other tasks whose runs a run may start from.
    renewed: the layers whose weights start anew in a run that starts from another, given the
        preprocessor of that run, its own, and whether both have the same labels.
    adapt: sets weights of the built model by the training batches, before training.
    taught: completes the training batches, given the predictor of the model in training, the run to
        start from, and whether training goes on from a checkpoint; it may also set weights if not.
        None: they are complete.
    predictor: makes the predictor of a model.
    rows: the answers to inputs as `predict` prints them, given options of the [decoding] section
        and, by name, what belongs to one call, such as a random seed.
    objective: what to optimise, given the predictor of the model in training, the validation
        split and the training batches.

    evaluate: evaluates a predictor on the examples of the named split.
    report: the content of the HTML report on an evaluation.
    answered: a predictor's part of a comparison with others on the same examples. None: it has no
        answers to compare.
    asking: what is timed: makes a function that answers so many of the examples.
    early: by which validation metric trainings are compared before their ends, and the factor that
        makes it comparable between preprocessors. None: by the one that selects the best weights.
    classical: the figures of the classical baseline, fitted to the first of two splits, on the
        second. None: the task has no such baseline.
    tokens: the ids of some texts of a split by a preprocessor, UNK for what it does not know; the
        more frequent a token was in training, the lower is its id. None: there are no texts.
    keys: what examples are recognised by in other data, in whatever case and punctuation. None:
        they cannot be.
    known_tests: p-values of the task's own test of such answers, in place of resampling.
    inspect: what can be seen inside a model, section by section; DataError if an input is too
        short or cannot be read.
    examples: a few short examples of a split, so many of each label, for the manifest of an export.
    formats: by name, functions that publish an export under a folder.
    slimmed: a predictor like the given one that is better to store compactly; the number is that of
        the n-grams to keep, None for all.
    """

    name: str
    presets: Presets[C]
    unit: str
    best: Mapping[str, str]
    labelled: bool = False

    check: Callable[[C], M]
    load_training: Callable[[C, Labels], tuple[S, S]]
    files: Callable[[C], Iterable[Path]] = lambda config: training_files(config.data)
    load_split: Callable[[C, str | None, Labels], S]
    settle: Callable[[C, S], C] = lambda config, _: config
    labels: Callable[[S], Labels] = lambda _: ()
    learn: Callable[[C, S, P | None], tuple[P, B]]
    load_preprocessor: Callable[[C, Path], P]
    training_batches: Callable[[C, P, S], B]
    validation_batches: Callable[[C, P, S], BatchSource]

    model: Callable[[C, P, Labels], M]
    trainee: Callable[[C, P, Labels, B, Rows], M] | None = None
    vocabulary_size: Callable[[P], int] | None = None
    lenders: "Mapping[str, Task[Any, Any, Any, Any, Any, Any, Any]]" = field(default_factory=dict)
    renewed: Callable[[P, P, bool], tuple[str, ...]] = lambda old, new, same_labels: ()
    adapt: Callable[[M, B], None] = lambda model, batches: None
    taught: Callable[[R, B, RunDirectory | None, bool], B] | None = None
    predictor: Callable[[RunDirectory, C, P, M, Labels], R]
    rows: Callable[..., Iterator[Row]]
    objective: Callable[[R, S, B], Objective]

    evaluate: Callable[[R, S, str], E]
    report: Callable[[R, E], Report]
    answered: Callable[[R, S], Answered] | None = None
    asking: Callable[[R, S], Ask] | None = None
    early: Callable[[P, S], tuple[str, float]] | None = None
    classical: Callable[[C, S, S], Mapping[str, float]] | None = None
    tokens: Callable[[P, S], NDArray[np.int32]] | None = None
    keys: Callable[[S], Iterable[Hashable]] | None = None
    known_tests: Callable[[Sequence[Answered]], KnownTests] = lambda _: {}
    inspect: Callable[[R, Request], Seen]
    examples: Callable[[S, int], Iterable[Example]]
    formats: Mapping[str, Callable[[R, Path, ExportConfig], Path]]
    slimmed: Callable[[R, int | None], R] = lambda predictor, ngrams: predictor
