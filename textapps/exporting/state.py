"""Backbone state as named tensors: signatures take and give flat dicts only."""

from collections.abc import Mapping
from typing import Any

State = tuple[dict[str, Any], ...]


def flatten_state(state: State) -> dict[str, Any]:
    """The leaves of a state (one dict of tensors a block) under `state_<block>_<leaf>`.

    >>> flatten_state(({"h": 1, "c": 2}, {"h": 3, "c": 4}))
    {'state_0_h': 1, 'state_0_c': 2, 'state_1_h': 3, 'state_1_c': 4}
    """
    return {
        f"state_{block}_{leaf}": tensor
        for block, leaves in enumerate(state)
        for leaf, tensor in leaves.items()
    }


def state_specs(state: State) -> list[Any]:
    """The named `tf.TensorSpec`s of a state of any number of rows, in the order of its leaves."""
    import tensorflow as tf

    leaves = flatten_state(state)
    return [tf.TensorSpec([None, *t.shape[1:]], t.dtype, name) for name, t in leaves.items()]


def unflatten_state(tensors: Mapping[str, Any]) -> State:
    """The state whose leaves are the `state_<block>_<leaf>` entries of `tensors`, in any order.

    Other entries are left alone, so that a signature can pass all of its inputs; no such entry
    at all is the empty state.

    >>> unflatten_state({"ids": 0, "state_1_key_cache": 3, "state_0_key_cache": 1})
    ({'key_cache': 1}, {'key_cache': 3})
    """
    blocks: dict[int, dict[str, Any]] = {}
    for name, tensor in tensors.items():
        if name.startswith("state_"):
            _, block, leaf = name.split("_", 2)
            blocks.setdefault(int(block), {})[leaf] = tensor
    return tuple(blocks[block] for block in sorted(blocks))
