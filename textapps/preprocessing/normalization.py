"""Scales features to mean 0 and deviation 1, with constants from the training data."""

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from textapps.core.errors import DataError, RunError
from textapps.core.files import write_file
from textapps.core.records import FormatError, RecordError, dump_record, read_record

FILE = "normalization.json"
_SMALLEST = 1e-2  # deviation; a constant feature is shifted to 0 and not amplified


class Normalization:
    """(x - mean) / deviation for each feature.

    >>> normalization = Normalization([1, 2], [2, 4])
    >>> normalization(np.array([[3.0, 2.0]])).tolist()
    [[1.0, 0.0]]
    """

    def __init__(self, mean: ArrayLike, deviation: ArrayLike) -> None:
        self.mean: NDArray[np.float32] = np.asarray(mean, np.float32)
        self.deviation: NDArray[np.float32] = np.asarray(deviation, np.float32)

    def __call__(self, features: Any) -> Any:
        """float32[…, features], array or tensor → the same."""
        return (features - self.mean) * (1 / self.deviation)

    @classmethod
    def learn(cls, batches: Iterable[Any]) -> "Normalization":
        """Mean and deviation over batch and time of float32[batch, time, features].

        Raises:
            DataError: there are no frames.
        """
        count, total, squares = 0, 0.0, 0.0
        for batch in batches:
            frames = np.asarray(batch, np.float64)
            frames = frames.reshape(-1, frames.shape[-1])
            count += len(frames)
            total = total + frames.sum(axis=0)
            squares = squares + (frames**2).sum(axis=0)
        if not count:
            raise DataError("there is no audio to learn the normalisation from")
        mean = total / count
        variance = np.maximum(squares / count - mean**2, 0)
        return cls(mean, np.maximum(np.sqrt(variance), _SMALLEST))

    def save(self, directory: Path) -> None:
        """Writes both as JSON, with a checksum."""
        values = {
            "mean": [float(number) for number in self.mean],
            "deviation": [float(number) for number in self.deviation],
        }
        content = dump_record({**values, "sha256": _checksum(values)}, indent=1)
        write_file(directory / FILE, content)

    @classmethod
    def load(cls, directory: Path, features: int) -> "Normalization":
        """Reads what `save` wrote, for this number of features.

        Raises:
            RunError: the file is missing, damaged, of another format or for other features.
        """
        path = directory / FILE
        try:
            content = read_record(path)
            checksum = content["sha256"]
            values = {name: content[name] for name in ("mean", "deviation")}
        except FormatError as error:
            raise RunError(f"{error}; install a newer textapps") from None
        except (OSError, RecordError, KeyError) as error:
            raise RunError(f"{path} cannot be read ({error}); train again or restore it") from None
        if checksum != _checksum(values):
            raise RunError(f"{path} is damaged or was changed; train again or restore it")
        if len(values["mean"]) != features:
            raise RunError(
                f"{path} is for {len(values['mean'])} features, not {features}; train again"
            )
        return cls(**values)


def _checksum(values: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()
