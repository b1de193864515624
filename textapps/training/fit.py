"""The one way in which every model is trained."""

import contextlib
import dataclasses
import importlib.util
from collections import deque
from collections.abc import Iterator, Sequence
from typing import Any, Literal

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from textapps.core.counted import counted
from textapps.core.errors import ConfigurationError, RunError
from textapps.training import weights
from textapps.training.adversarial import Adversarial
from textapps.training.batches import BatchSource
from textapps.training.checkpoint import LOGGER, CheckpointStore, TrainingState
from textapps.training.config import TrainingConfig
from textapps.training.interruption import Interruption, TrainingInterrupted
from textapps.training.last_weights import LastWeights
from textapps.training.monitor import Evaluate, Monitor, OnRow
from textapps.training.optimizer import build_optimizer
from textapps.training.pace import Extent
from textapps.training.progress import NoProgress, Progress
from textapps.training.replicas import Replicas
from textapps.training.run_directory import RunDirectory
from textapps.training.shared_steps import SharedSteps
from textapps.training.step_datasets import datasets
from textapps.training.until import Until


@dataclasses.dataclass(frozen=True)
class FitResult:
    """How training went.

    Attributes:
        steps: steps done since the beginning of the run.
        epochs: the same in passes over the data.
        seconds: time spent in steps, without validation.
        best_score, best_step: figure and step of the best validation.
        stopped_by: "epochs", "patience" or "time"; "pause" if the run is not finished.
        monitor: the metric whose best value `best_score` is, such as "accuracy".
        signalled: what a signal that came in the last steps asks for; they were done all the same.
    """

    steps: int
    epochs: float
    seconds: float
    best_score: float
    best_step: int
    stopped_by: str
    monitor: str
    signalled: type[TrainingInterrupted] | None = None


def fit(
    model: Any,
    *,
    loss: Any,
    metrics: Sequence[Any],
    train: BatchSource,
    validation: BatchSource,
    config: TrainingConfig,
    run: RunDirectory,
    shares: Sequence[float] = (),
    monitor: str = "val_accuracy",
    mode: Literal["max", "min"] = "max",
    evaluate: Evaluate | None = None,
    class_weights: NDArray[np.float32] | None = None,
    adversarial: Adversarial | None = None,
    replicas: Replicas | None = None,
    progress: Progress | None = None,
    until: Until | None = None,
) -> FitResult:
    """Trains a built Keras model, from the newest good checkpoint of the run if there is one.

    Ends with the best weights in the model (averages where `config.average` or
    `config.average_last` is on). Resumed after any end, kill -9 included, it computes the same
    weights bit for bit as without it, on the same machine and versions. A run that is finished
    already is not trained further.

    Args:
        model: built, with seeds set before (`seed_everything`).
        loss, metrics: Keras's objects; both are weighted by the weights of the batches.
        train, validation: `config.epochs` passes, and one pass at the end of each interval.
        shares: as `AveragedAdamW` takes them.
        monitor, mode: which figure of the validation decides on the best, and its direction.
        evaluate: figures that Keras's metrics cannot give, by name; called after each validation,
            with the weights that were evaluated in the model. `monitor` and history.csv put
            `val_` before.
        class_weights, adversarial: as `SharedSteps` takes them; validation and metrics do without.
        replicas: who trains, in whose scope the model was built; every process of them calls this.
        progress, until: who is told of it, and what else stops it.

    Raises:
        RunError: another process trains this run, the disk or the memory is full, the checkpoints
            belong to other data or another model, or another worker has stopped.
        DivergedError: a loss or weight that is not finite; no such checkpoint is written.
        TrainingInterrupted: SIGINT or, as TrainingTerminated, SIGTERM came; all steps done are
            saved. A second signal does not wait for that.
    """
    replicas = replicas or Replicas()
    progress = progress if progress and replicas.is_chief else NoProgress()
    with contextlib.ExitStack() as stack:
        if replicas.is_chief:
            stack.enter_context(run.lock())
        interruption = stack.enter_context(Interruption())
        total_steps = config.epochs * train.steps_per_pass
        interval = config.checkpoint_steps or train.steps_per_pass
        store = CheckpointStore(run.checkpoints, keep_ends=config.average_last, interval=interval)
        optimizer = build_optimizer(model, config, total_steps, shares)
        # XLA makes the training of recurrent layers on a CPU slower.
        model.compile(optimizer, loss, weighted_metrics=list(metrics), jit_compile=False)
        state = _resume(model, store, train.steps_per_pass, replicas)
        if state.stopped_by is None:
            sizes: deque[int] = deque()
            shared: SharedSteps | None = None
            tensorboard = config.tensorboard and replicas.is_chief
            own = config.accumulate > 1 or class_weights is not None or adversarial is not None
            if replicas.count > 1 or own:
                replicas.part_seeds(model)
                shared = SharedSteps(
                    model,
                    loss,
                    replicas,
                    parts=config.accumulate,
                    sizes=sizes,
                    requested=lambda: interruption.requested,
                    class_weights=class_weights,
                    adversarial=adversarial,
                )
            watcher = Monitor(
                run=run,
                store=store,
                state=state,
                config=config,
                total_steps=total_steps,
                interval=interval,
                metrics=metrics,
                metric=monitor,
                sign=1 if mode == "max" else -1,
                sizes=sizes,
                replicas=replicas,
                stopping=lambda: shared.stopping if shared else interruption.requested,
                progress=progress,
                last=LastWeights.of(store, model, state.step) if config.average_last else None,
                evaluate=evaluate,
                on_row=stack.enter_context(_tensorboard(run)) if tensorboard else None,
                until=until,
            )
            progress.start(
                Extent(
                    total_steps,
                    state.step,
                    train.steps_per_pass,
                    interval,
                    validation.steps_per_pass,
                    state.seconds,
                    config.max_seconds,
                )
            )
            stack.callback(progress.finish)
            stack.enter_context(_explained_shortage(config))
            training, validating = datasets(train, validation, state.step, sizes, replicas, shared)
            model.fit(
                training,
                validation_data=validating,
                validation_steps=validation.steps_per_pass if shared else None,
                epochs=-(-total_steps // interval),
                initial_epoch=state.step // interval,
                steps_per_epoch=interval,
                shuffle=False,
                verbose=0,
                callbacks=[watcher],
            )
            state = watcher.state
            replicas.clock()  # the chief has written the last checkpoint when it comes to this
        else:
            progress.message(f"run {run.path} is already finished, at step {state.step}")
        weights.load_weights(model, run, "best")
    return _result(state, monitor.removeprefix("val_"), interruption.kind)


def _resume(
    model: Any, store: CheckpointStore, steps_per_pass: int, replicas: Replicas
) -> TrainingState:
    """Restores the newest good checkpoint, as the chief finds it, and tells where it stands."""
    newest = store.newest_good() if replicas.is_chief else None
    step = int(replicas.agree([-1 if newest is None else newest[0].step])[0])
    if step < 0:
        if replicas.is_chief:
            store.tidy(None)
        return TrainingState(steps_per_pass=steps_per_pass)
    state = newest[0] if newest else store.state_at(step)
    if state.steps_per_pass != steps_per_pass:
        raise RunError(
            f"the data has changed since the run began: a pass had {state.steps_per_pass} steps, "
            f"now it has {steps_per_pass}; train a new run"
        )
    weights.restore(model, store, state.step, replicas)
    if replicas.is_chief:
        store.tidy(state.step)
    is_whole = state.best_step is None or store.is_whole(state.best_step)
    if not replicas.agree([is_whole])[0]:
        LOGGER.warning("the best checkpoint (step %d) is damaged and forgotten", state.best_step)
        state = dataclasses.replace(
            state, best_score=None, best_loss=None, best_step=None, waited=0
        )
    return state


def _result(
    state: TrainingState, monitor: str, signalled: type[TrainingInterrupted] | None
) -> FitResult:
    assert state.best_score is not None
    assert state.best_step is not None
    return FitResult(
        steps=state.step,
        epochs=state.step / state.steps_per_pass,
        seconds=state.seconds,
        best_score=state.best_score,
        best_step=state.best_step,
        stopped_by=state.stopped_by or "pause",
        monitor=monitor,
        signalled=signalled,
    )


@contextlib.contextmanager
def _explained_shortage(config: TrainingConfig) -> Iterator[None]:
    """Says what to do where there is not enough memory for a step."""
    try:
        yield
    except tf.errors.ResourceExhaustedError as error:
        if "No space left" in str(error):  # on a disk
            raise
        raise RunError(
            f"out of memory with batches of {config.batch_size} in "
            f"{counted(config.accumulate, 'part')}: compute them in more by --accumulate "
            f"{2 * config.accumulate}, or try a smaller --batch-size"
        ) from error


@contextlib.contextmanager
def _tensorboard(run: RunDirectory) -> Iterator[OnRow]:
    """Writes each row of history.csv as TensorBoard scalars too."""
    if importlib.util.find_spec("tensorboard") is None:
        raise ConfigurationError(
            "training.tensorboard needs TensorBoard: pip install 'textapps[tensorboard]'"
        )
    writer = tf.summary.create_file_writer(str(run.path / "tensorboard"))

    def on_row(step: int, row: Any) -> None:
        with writer.as_default():
            for name, value in row.items():
                tf.summary.scalar(name, value, step=step)
        writer.flush()

    with contextlib.closing(writer):
        yield on_row
