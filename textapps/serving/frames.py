"""Sends Python objects between processes over a socket, with arrays as raw memory."""

import pickle
import socket
import struct
from collections.abc import Mapping
from typing import Any

import numpy as np

from textapps.savedmodel.tensors import in_parts

_HEAD = struct.Struct("<QQ")  # bytes of the pickle, and how many buffers follow
_SIZE = struct.Struct("<Q")


class _Strings:
    """An array of bytes objects, which pickle would write one by one."""

    def __init__(self, array: np.ndarray) -> None:
        self._shape = array.shape
        parts = [part.tolist() for part in in_parts(array)]
        self._joined = np.frombuffer(b"".join([b"".join(part) for part in parts]), np.uint8)
        lengths = [np.fromiter(map(len, part), np.int64, len(part)) for part in parts]
        self._ends = np.cumsum(np.concatenate([np.zeros(0, np.int64), *lengths]))

    def array(self) -> np.ndarray:
        joined, begin = self._joined.data, 0
        flat = np.empty(len(self._ends), dtype=object)
        for part, ends in zip(in_parts(flat), in_parts(self._ends), strict=True):
            strings = []
            for end in ends.tolist():
                strings.append(bytes(joined[begin:end]))
                begin = end
            part[:] = strings
        return flat.reshape(self._shape)


def packed(arrays: dict[str, np.ndarray]) -> dict[str, Any]:
    """Arrays in the form that `send` handles fast; `unpacked` reverses it."""
    return {k: _Strings(a) if a.dtype == object else a for k, a in arrays.items()}


def unpacked(arrays: dict[str, Any]) -> dict[str, np.ndarray]:
    """Arrays, their strings as bytes."""
    return {k: a.array() if isinstance(a, _Strings) else a for k, a in arrays.items()}


def release(arrays: Mapping[str, np.ndarray]) -> None:
    """Frees the strings of arrays that are no longer needed, a few at a time."""
    for array in arrays.values():
        if array.dtype == object:
            for part in in_parts(array):
                part[:] = None


def send(connection: socket.socket, value: Any) -> None:
    """Sends a value. Raises OSError if the other side is gone."""
    buffers: list[pickle.PickleBuffer] = []
    pickled = pickle.dumps(value, protocol=5, buffer_callback=buffers.append)
    raw = [buffer.raw() for buffer in buffers]
    sizes = b"".join(_SIZE.pack(len(buffer)) for buffer in raw)
    connection.sendall(_HEAD.pack(len(pickled), len(raw)) + sizes)
    connection.sendall(pickled)
    for buffer in raw:
        connection.sendall(buffer)


def receive(connection: socket.socket) -> Any:
    """Receives the next value, from a trusted process.

    Raises EOFError or OSError if the other side is gone.
    """
    size, count = _HEAD.unpack(_take(connection, _HEAD.size))
    sizes = [_SIZE.unpack(_take(connection, _SIZE.size))[0] for _ in range(count)]
    pickled = _take(connection, size)
    return pickle.loads(pickled, buffers=[_take(connection, size) for size in sizes])


def _take(connection: socket.socket, size: int) -> memoryview:
    # A bytearray would be zeroed first, while no other thread can run.
    view = np.empty(size, np.uint8).data
    taken = 0
    while taken < size:
        count = connection.recv_into(view[taken:])
        if not count:
            raise EOFError("the other process is gone")
        taken += count
    return view
