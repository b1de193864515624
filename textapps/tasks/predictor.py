"""What the predictors of all tasks have in common."""

import copy
import logging
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Generic, Self, TypeVar

import numpy as np

from textapps.core.config import resolve
from textapps.core.errors import DataError
from textapps.core.names import models_folder
from textapps.core.notices import muted
from textapps.savedmodel.manifest import Example
from textapps.tasks import lifecycle
from textapps.tasks.config import C
from textapps.tasks.registry import get_task
from textapps.tasks.task import Data, M, P
from textapps.training.evaluations import Summary, read_metrics
from textapps.training.plan import Indices, SequentialPlan
from textapps.training.run_directory import RunDirectory
from textapps.training.weights import parameter_count

LOGGER = logging.getLogger("textapps")
S = TypeVar("S")
ANSWER_BATCH = 64  # examples in a batch of predictions


class TrainedPredictor(Generic[C, P, M]):
    """A trained model with its run and its preprocessor; `lifecycle` makes them.

    run: where it was trained
    config: its configuration
    preprocessor: what was fitted to the training split before the model
    model: with its weights
    labels: the classes in the order of the scores; () if the task has none
    """

    def __init__(
        self,
        run: RunDirectory,
        config: C,
        preprocessor: P,
        model: M,
        labels: tuple[str, ...] = (),
    ) -> None:
        self.run = run
        self.config = config
        self.preprocessor = preprocessor
        self.model = model
        self.labels = labels
        self.set_up()

    def set_up(self) -> None:
        """Makes the graphs that answer; called once, at the end of the constructor."""

    def evaluate(self, split: str | None = None, data: Data | None = None) -> Summary:
        """Evaluates the model on a split of the data it was trained on, or of other data.

        Args:
            split: train, validation, test or all; by default the test split of data that are split
                or that it was trained on, and all of other data.
            data: a source as `--data` takes it, or values of the [data] section by name, such as
                {"source": "other.csv", "text_column": "said"}.

        Returns:
            {"task", "run", "data", "split", "examples", "metrics"}, as in metrics.json.

        Raises:
            ConfigurationError: an unknown key in `data`.
            DataError: the data are missing, wrong or have other labels.
        """
        section = None
        if data is not None:
            values = data if isinstance(data, Mapping) else {"source": data}
            plain = {key: str(one) if isinstance(one, Path) else one for key, one in values.items()}
            section = self.config.data.changed(plain).resolved()
        found = lifecycle.evaluate(get_task(self.config.task), self, section, split)
        summary: Summary = found.summary
        return summary

    def export(
        self,
        models_dir: Path | str | None = None,
        *,
        format: str = "saved_model",
        **options: object,
    ) -> Path:
        """Publishes a verified export: see `lifecycle.export`.

        `models_dir` is by default TEXTAPPS_MODELS_DIR, else "models".
        """
        task = get_task(self.config.task)
        return lifecycle.export(task, self, models_folder(models_dir), format=format, **options)

    def configured(self, options: Mapping[str, object]) -> Self:
        """The same model with other values of the configuration, by dotted key.

        Raises:
            ConfigurationError: an unknown key or a value out of its range.
        """
        changed = copy.copy(self)
        own = self.config.model_dump()
        changed.config = resolve(type(self.config), preset=own, flags=options)
        return changed

    @property
    def parameters(self) -> int:
        """The number of parameters of the model."""
        return parameter_count(self.model)

    @property
    def manifest_fields(self) -> dict[str, Any]:
        """The fields of the manifest that every export has."""
        return {
            "task": self.config.task,
            "backbone": self.config.reads_with,
            "preset": self.config.preset,
            "labels": self.labels,
            "input_column": self.config.data.input_column or "",
            "exported": datetime.now(UTC).isoformat(timespec="seconds"),
            "metrics": read_metrics(self.run),
        }

    def data_fields(self, examples: int) -> dict[str, Any]:
        """The fields `data` and `examples` of the manifest.

        Args:
            examples: how many of each label to take from the validation split. If the data cannot
                be read there are none, and a warning says why. Of a model of the package so many
                of the inputs that come with it.
        """
        fields: dict[str, Any] = {"data": Path(self.config.data.source).name}
        if self.run.pretrained:
            known = self.run.pretrained.description
            inputs = known.inputs[:examples]
            return {
                "data": known.figures.data,
                "examples": tuple(Example(inputs=dict(each)) for each in inputs),
            }
        if not examples:
            return fields
        task = get_task(self.config.task)
        try:
            with muted():  # what is to be said of these data was said in training
                split = task.load_split(self.config, "validation", self.labels)
        except DataError as error:
            LOGGER.warning("the export has no examples for the web page: %s", error)
            return fields
        return {"data": split.name, "examples": tuple(task.examples(split, examples))}


def several(inputs: S, noun: str, call: str) -> S:
    """The same inputs.

    Raises:
        TypeError: it is one input; a text would be taken for a list of its letters.
    """
    single = inputs.ndim == 1 if isinstance(inputs, np.ndarray) else False
    if single or isinstance(inputs, str | bytes | Path):
        raise TypeError(f"one {noun} where a list is wanted: write {call}")
    return inputs


def batches_by_length(lengths: Iterable[int], size: int = ANSWER_BATCH) -> Iterator[Indices]:
    """Rows in batches of like length, the shortest first: int64[<= size] each.

    >>> [rows.tolist() for rows in batches_by_length([3, 1, 2], size=2)]
    [[1, 2], [0]]
    """
    plan = SequentialPlan(list(lengths), size)
    return (plan.indices(0, step) for step in range(plan.steps_per_pass))


def utf8(text: str) -> bytes:
    """The UTF-8 of a text; lone surrogates, which stand for other bytes, become those bytes."""
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:  # half of a surrogate pair, as JSON can hold
        return text.encode("utf-8", "surrogatepass")
