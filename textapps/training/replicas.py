"""The replicas of a model that are trained together, on one or more devices or machines."""

import contextlib
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from textapps.core.errors import ConfigurationError, RunError
from textapps.training.batches import BatchSource, shard_of
from textapps.training.cluster import Cluster
from textapps.training.run_directory import RunDirectory

SEED_STRIDE = 1_000_003  # between the seeds of replicas
NAME_BYTES = 255  # the longest name of a directory
SHARED_SECONDS = 60  # until a network file system shows a new directory
# The errors that TensorFlow may raise if a worker is lost.
LOST = (
    tf.errors.UnavailableError,
    tf.errors.AbortedError,
    tf.errors.CancelledError,
    tf.errors.DeadlineExceededError,
    tf.errors.FailedPreconditionError,
    tf.errors.InternalError,
)


class Replicas:
    """The replicas of a training: `count` copies of the model, `local` ones in this process.

    Replica r takes rows r::count of each planned batch, so the batch, the loss and all metrics are
    those of training on one device. On one device the methods return their input or do nothing.

    Args:
        strategy: TensorFlow's; None for one device.
        cluster: the processes, each with the same number of replicas.
    """

    def __init__(self, strategy: Any = None, cluster: Cluster | None = None) -> None:
        self.strategy = strategy
        self.cluster = cluster or Cluster()
        self.count: int = strategy.num_replicas_in_sync if strategy is not None else 1
        here = self.count // self.cluster.workers
        self.local = range(self.cluster.index * here, (self.cluster.index + 1) * here)
        self._sum = tf.function(self._summed, autograph=False, reduce_retracing=True)

    @classmethod
    def of(cls, strategy: str) -> Self:
        """The replicas for a value of `training.strategy`.

        Call it before TensorFlow computes anything.

        Raises:
            ConfigurationError: the environment does not allow this strategy.
        """
        cluster = Cluster.of()
        if strategy == "auto":
            gpus = len(tf.config.list_physical_devices("GPU"))
            strategy = "multi-worker" if cluster.workers > 1 else "mirrored" if gpus > 1 else "one"
        if strategy == "multi-worker":
            if cluster.workers < 2:
                raise ConfigurationError(
                    "training.strategy = multi-worker needs a cluster in TF_CONFIG: start it with "
                    "`textapps launch --workers N -- …`, or see docs/distributed.md"
                )
            return cls(_multi_worker(), cluster)
        if cluster.workers > 1:
            raise ConfigurationError(
                f"training.strategy = {strategy} uses one process, but TF_CONFIG names "
                f"{cluster.workers}: use --strategy multi-worker, or unset TF_CONFIG"
            )
        if strategy == "mirrored":
            devices = tf.config.list_logical_devices("GPU") or tf.config.list_logical_devices("CPU")
            return cls(tf.distribute.MirroredStrategy([device.name for device in devices]))
        return cls()

    @property
    def is_chief(self) -> bool:
        """Whether this process writes the run."""
        return self.cluster.is_chief

    @contextlib.contextmanager
    def scope(self) -> Iterator[None]:
        """The context in which the model and its metrics are built and trained.

        Raises:
            RunError: another worker has stopped.
        """
        with contextlib.ExitStack() as stack:
            stack.enter_context(self._noticing())
            if self.strategy is not None:
                stack.enter_context(self.strategy.scope())
            yield

    def rows(self, batch_size: int) -> int:
        """The number of rows of a batch that each replica takes."""
        return -(-batch_size // self.count)

    def dataset(self, make: Callable[[BatchSource], Any], source: BatchSource) -> Any:
        """The dataset of this process's shares of the batches of `source`.

        Args:
            make: makes an endless `tf.data.Dataset` from a source.
        """
        shares = [make(shard_of(source, replica, self.count)) for replica in self.local]
        if self.strategy is None:
            return shares[0]
        # TensorFlow passes consecutive elements to the devices of a process.
        turns = tf.data.Dataset.range(len(shares)).repeat()
        dealt = tf.data.Dataset.choose_from_datasets(shares, turns)
        # Unless the dataset is known to be endless, all processes agree on its end in each step.
        dealt = dealt.apply(
            tf.data.experimental.assert_cardinality(tf.data.experimental.INFINITE_CARDINALITY)
        )
        return self.strategy.distribute_datasets_from_function(lambda _: dealt)

    def agree(self, values: Sequence[float]) -> list[float]:
        """The chief's values; every worker must call this at the same point."""
        if self.cluster.workers == 1:
            return list(values)
        array = np.asarray(values, np.float64)
        return [float(v) for v in self.total(array if self.is_chief else np.zeros_like(array))]

    def clock(self) -> float:
        """The chief's clock in seconds; every worker must call this at the same point."""
        return self.agree([time.perf_counter()])[0]

    def agreed_run(self, begin: Callable[[], RunDirectory], directory: Path) -> RunDirectory:
        """The run that the chief creates in `directory` with `begin`; the other workers open it.

        Raises:
            RunError: a worker does not see the run, or another worker has stopped.
        """
        if self.cluster.workers == 1:
            return begin()
        name = np.zeros(NAME_BYTES)
        begun = None
        if self.is_chief:
            begun = begin()
            text = begun.name.encode()
            name[: len(text)] = np.frombuffer(text, np.uint8)
        name = self.total(name)
        if begun is not None:
            return begun
        path = directory / bytes(name.astype(np.uint8)).rstrip(b"\0").decode()
        _wait_for(path)
        return RunDirectory.open(path, trained=False)

    def total(self, array: NDArray[Any]) -> NDArray[Any]:
        """The sum of an array over all processes."""
        if self.cluster.workers == 1:
            return array
        # The other replicas of a process add zeros.
        arrays = [array, *[np.zeros_like(array)] * (len(self.local) - 1)]
        first = self.local[0]
        values = self.strategy.experimental_distribute_values_from_function(
            lambda context: tf.constant(arrays[context.replica_id_in_sync_group - first])
        )
        with self._noticing():
            summed: NDArray[Any] = self._sum(values).numpy()
        return summed

    def copies(self, variable: Any) -> list[Any]:
        """The copy of a Keras variable in each local replica."""
        if self.strategy is None:
            return [variable]
        return list(self.strategy.experimental_local_results(variable.value))

    def interleaved(self, variable: Any) -> NDArray[Any]:
        """The rows of all replicas, [rows · count, …], in the order of the batch."""
        own = [copy.numpy() for copy in self.copies(variable)]
        rows = np.zeros((len(own[0]) * self.count, *own[0].shape[1:]), own[0].dtype)
        for replica, part in zip(self.local, own, strict=True):
            rows[replica :: self.count] = part
        return self.total(rows)

    def deal(self, variable: Any, rows: NDArray[Any]) -> None:
        """Distributes what `interleaved` gave, with this or another number of replicas."""
        for replica, copy in zip(self.local, self.copies(variable), strict=True):
            part = rows[replica :: self.count][: copy.shape[0]]
            missing = [(0, copy.shape[0] - len(part)), *[(0, 0)] * (rows.ndim - 1)]
            copy.assign(np.pad(part, missing))

    def part_seeds(self, model: Any) -> None:
        """Makes replicas drop different units; the saved seeds, those of the first one, stay."""
        if self.count == 1:
            return
        for variable in model.variables:
            if variable.name == "seed_generator_state":
                for replica, copy in zip(self.local, self.copies(variable), strict=True):
                    state = copy.numpy()
                    copy.assign(state + np.array([replica * SEED_STRIDE, 0], state.dtype))

    def _summed(self, values: Any) -> Any:
        def total(value: Any) -> Any:
            context = tf.distribute.get_replica_context()
            # An argument has no device yet; the identity places it on the replica's device.
            return context.all_reduce(tf.distribute.ReduceOp.SUM, tf.identity(value))

        return self.strategy.experimental_local_results(self.strategy.run(total, (values,)))[0]

    @contextlib.contextmanager
    def _noticing(self) -> Iterator[None]:
        try:
            yield
        except LOST as error:
            if self.cluster.workers == 1:
                raise
            raise RunError(
                "another worker of the training has stopped or cannot be reached "
                f"({type(error).__name__}); see its log. To continue, start all workers again "
                "with --resume and the run"
            ) from error


def _multi_worker() -> Any:
    """Waits for all workers."""
    try:
        return tf.distribute.MultiWorkerMirroredStrategy()
    except RuntimeError as error:
        raise ConfigurationError(
            "training.strategy = multi-worker must be set up before TensorFlow computes anything: "
            "train in a process of its own"
        ) from error


def _wait_for(run: Path) -> None:
    end = time.monotonic() + SHARED_SECONDS
    while not run.is_dir():
        if time.monotonic() > end:
            raise RunError(f"{run} is not visible here: all workers need the same --models-dir")
        time.sleep(0.2)
