"""The callback of `fit`: counts steps, evaluates, saves and stops."""

import dataclasses
import math
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import keras
import numpy as np

from textapps.core.errors import DivergedError
from textapps.core.names import training_command
from textapps.training import weights
from textapps.training.checkpoint import CheckpointStore, TrainingState
from textapps.training.config import TrainingConfig
from textapps.training.history import CLIPPED, History
from textapps.training.interruption import TrainingInterrupted
from textapps.training.keras_private import loss_tracker
from textapps.training.last_weights import LastWeights
from textapps.training.progress import Progress
from textapps.training.replicas import Replicas
from textapps.training.run_directory import RunDirectory
from textapps.training.until import Until

OnRow = Callable[[int, Mapping[str, float]], None]
Evaluate = Callable[[], Mapping[str, float]]


class Monitor(keras.callbacks.Callback):
    """Ends intervals, tracks the best checkpoint, writes history and checkpoints, stops training.

    A Keras epoch is an interval, and intervals end at multiples of `interval` steps, so a run that
    is resumed within an interval (after Ctrl-C) validates at the same steps as an uninterrupted
    one. The remaining shorter interval is ended by `stop_training`, which is reset after Keras has
    validated.

    With several processes, each has its own monitor, and all make the same decisions, from the
    chief's metrics and clock. Only the chief's monitor writes.

    Args:
        run, store: where to write.
        state: the run's progress.
        config: its training section.
        total_steps, interval: in steps.
        metrics: the compiled ones.
        metric, sign: the metric that selects the best checkpoint, and 1 if more is better, else -1.
        sizes: the numbers of examples (or characters, or tokens) of the batches that are prepared
            but not yet trained on, in order.
        stopping: whether the user has asked to stop; the same in all processes.
        last: averages the weights of the last intervals; None if this is off.
        evaluate: computes metrics in addition to Keras's, after each validation.
        on_row: called with the step and the row at the end of each interval.
        until: what else stops training.
    """

    def __init__(
        self,
        *,
        run: RunDirectory,
        store: CheckpointStore,
        state: TrainingState,
        config: TrainingConfig,
        total_steps: int,
        interval: int,
        metrics: Sequence[Any],
        metric: str,
        sign: int,
        sizes: deque[int],
        replicas: Replicas,
        stopping: Callable[[], bool],
        progress: Progress,
        last: LastWeights | None = None,
        evaluate: Evaluate | None = None,
        on_row: OnRow | None = None,
        until: Until | None = None,
    ) -> None:
        super().__init__()
        self.run = run
        self.store = store
        self.state = state
        self.config = config
        self.total_steps = total_steps
        self.interval = interval
        self.metrics = metrics
        self.metric = metric
        self.sign = sign
        self.sizes = sizes
        self.replicas = replicas
        self.stopping = stopping
        self.progress = progress
        self.last = last
        self.evaluate = evaluate
        self.on_row = on_row
        self.until = until or Until()
        self.history = History(run, state.step) if replicas.is_chief else None
        self.step = state.step
        self.examples = 0
        self.seconds = state.seconds
        self._resumed_at = 0.0
        self._averaged: list[tuple[Any, Any]] = []
        self._raw: list[Any] = []
        self._means: list[Any] | None = None
        self._figures: dict[str, float] = {}

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Starts the clock, which does not run during validation and checkpoints."""
        # Keras has just reset the metrics; after a stop inside an interval they continue.
        for metric, copies in self._tracked():
            values = self.state.partial.get(metric.name, ())
            for variable, value in zip(metric.variables, values, strict=False):
                variable.assign(np.multiply(value, copies))
        (clipped,) = self.state.partial.get(CLIPPED, (0.0,))
        self.model.optimizer.clipped.assign(clipped)
        self._resumed_at = self.replicas.clock()

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """Called after each step; `logs` are means over the interval as floats."""
        self.step += 1
        self.examples += self.sizes.popleft()
        if not math.isfinite(logs["loss"]):
            raise self._diverged("loss", logs["loss"])
        self.progress.update(self.step, logs, self.examples)
        if self.step % self.interval == 0 or self.step == self.total_steps or self._out_of_time():
            self.seconds = self._clock()
            self.model.stop_training = True
        elif self.stopping():
            self.seconds = self._clock()
            partial = {
                metric.name: [(variable.numpy() / copies).tolist() for variable in metric.variables]
                for metric, copies in self._tracked()
            }
            partial[CLIPPED] = [float(self.model.optimizer.clipped.numpy())]
            state = dataclasses.replace(self.state, **self._position(), partial=partial)
            weights.save(self.store, state, self.model, replicas=self.replicas)
            raise self._interrupted()

    def on_test_begin(self, logs: Any = None) -> None:
        """Assigns the averages to the variables, so that they are evaluated."""
        variables, averages = self.model.optimizer.averaged, self.model.optimizer.averages
        if self.last is not None:
            variables, averages = self.last.variables, self.last.add()
            self._means = averages
        self._averaged = list(zip(variables, averages, strict=True))
        self._raw = [variable.numpy() for variable in variables]
        for variable, average in self._averaged:
            variable.assign(average)

    def on_test_end(self, logs: Any = None) -> None:
        """Computes the additional metrics, then restores the raw weights, bit for bit."""
        if self.evaluate is not None:
            self._figures = {f"val_{name}": value for name, value in self.evaluate().items()}
        for (variable, _), raw in zip(self._averaged, self._raw, strict=True):
            variable.assign(raw)
        self._averaged, self._raw = [], []

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Evaluates the interval, then writes its row and its checkpoint, in this order.

        Resuming removes a row without a checkpoint; a checkpoint without its row could not be
        repaired.
        """
        logs = {**logs, **self._figures}
        logs = dict(zip(logs, self.replicas.agree(list(logs.values())), strict=True))
        if not math.isfinite(logs["val_loss"]):
            raise self._diverged("validation loss", logs["val_loss"])
        self.state = self._evaluated(logs)
        row = {
            "step": self.step,
            "epoch": self.step / self.state.steps_per_pass,
            "seconds": self.seconds,
            "learning_rate": float(self.model.optimizer.learning_rate),
            **logs,
        }
        if self.history is not None:
            clipped = float(self.model.optimizer.clipped.numpy())
            self.history.append({**row, CLIPPED: clipped} if self.config.clip_norm else row)
        weights.save(self.store, self.state, self.model, self._means, self.replicas)
        self.progress.epoch_end(row)
        if self.on_row is not None:
            self.on_row(self.step, row)
        ended = self.state.stopped_by is not None
        self.model.stop_training = ended or self.until.paused(self.state)
        if self.stopping() and self.state.stopped_by is None:
            raise self._interrupted()

    def _evaluated(self, logs: Mapping[str, float]) -> TrainingState:
        """The state after a validation with these metrics."""
        score, loss = self.sign * logs[self.metric], logs["val_loss"]
        state = dataclasses.replace(self.state, **self._position(), partial={})
        best = (
            (-math.inf, math.inf)
            if state.best_score is None or state.best_loss is None
            else (self.sign * state.best_score, state.best_loss)
        )
        # Accuracies on a small validation split are often equal; then the loss decides.
        if (score, -loss) > (best[0], -best[1]):
            state = dataclasses.replace(
                state, best_score=logs[self.metric], best_loss=loss, best_step=self.step, waited=0
            )
        else:
            state = dataclasses.replace(state, waited=state.waited + 1)
        stopped_by = None
        if self.step == self.total_steps:
            stopped_by = "epochs"
        elif self.config.patience and state.waited >= self.config.patience:
            stopped_by = "patience"
        elif self._over(self.seconds) or self._late():
            stopped_by = "time"
        return dataclasses.replace(state, stopped_by=stopped_by)

    def _tracked(self) -> list[tuple[Any, int]]:
        """The metrics of training, and how many replicas count each example."""
        whole = (loss_tracker(self.model), self.replicas.count)  # of the whole batch on each
        return [whole, *((metric, 1) for metric in self.metrics)]

    def _position(self) -> dict[str, Any]:
        return {"step": self.step, "seconds": self.seconds}

    def _clock(self) -> float:
        return self.seconds + self.replicas.clock() - self._resumed_at

    def _out_of_time(self) -> bool:
        late = self._late()
        return late or (self.config.max_seconds is not None and self._over(self._clock()))

    def _over(self, seconds: float) -> bool:
        return self.config.max_seconds is not None and seconds >= self.config.max_seconds

    def _late(self) -> bool:
        if not math.isfinite(self.until.deadline):
            return False
        return self.replicas.clock() >= self.until.deadline - self.until.reserve()

    def _interrupted(self) -> TrainingInterrupted:
        return TrainingInterrupted(
            f"interrupted and saved at step {self.step} of {self.total_steps}; continue with: "
            f"{training_command(self.run.task)} --resume {self.run.path}"
        )

    def _diverged(self, what: str, value: float) -> DivergedError:
        best = self.state.best_step
        kept = (
            f"the best checkpoint so far (step {best}) is kept in {self.run.path}"
            if best is not None
            else "no checkpoint had been evaluated yet"
        )
        return DivergedError(
            f"the {what} became {value} at step {self.step}; {kept}: try a smaller "
            "--learning-rate, a longer warm-up (training.warmup_steps) or a smaller "
            "training.clip_norm"
        )
