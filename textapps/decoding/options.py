"""The options of `DecodingConfig` as tensors with one value for each row of a batch."""

from collections.abc import Mapping
from typing import Any

import tensorflow as tf

from textapps.decoding.config import DecodingConfig, option_schemas

# By name, each [batch]: the options that decide on the tokens, and `random_seed`.
Options = Mapping[str, Any]

_SCHEMAS = option_schemas()
# What a signature takes for each row. `stop` is a text, which a row cannot have of its own.
DTYPES = {
    name: tf.float32
    if schema["type"] == "number"
    else tf.int64
    if schema.get("maximum", 0) > tf.int32.max
    else tf.int32
    for name, schema in _SCHEMAS.items()
    if schema.get("type") in ("integer", "number")
}
# The values with which an option changes nothing; the temperature, which always acts, has none.
OFF = {name: schema["off"] for name, schema in _SCHEMAS.items() if "off" in schema}


def row_options(config: DecodingConfig, random_seed: Any) -> Options:
    """The same options for every row.

    Args:
        random_seed: int64[batch], a seed for each row.
    """
    random_seed = tf.convert_to_tensor(random_seed, tf.int64)
    options = {
        name: tf.fill(tf.shape(random_seed), tf.cast(getattr(config, name), dtype))
        for name, dtype in DTYPES.items()
        if name not in ("length", "random_seed")
    }
    return {**options, "random_seed": random_seed}


def is_plain(options: Options) -> Any:
    """bool[]: whether a temperature is all there is: every option that can be off is off."""
    on = [tf.reduce_any(options[name] != tf.cast(off, DTYPES[name])) for name, off in OFF.items()]
    return ~tf.reduce_any(on)
