"""The backbones by name, the one list of them: a new one is a file with its mixer and a line here.

Keras is imported when a mixer is asked for, not before: a configuration and `--help` need it not.
"""

import importlib
from typing import TYPE_CHECKING, NamedTuple

from textapps.core.errors import ConfigurationError, unknown

if TYPE_CHECKING:
    from textapps.backbones.mixer import Mixer


class Entry(NamedTuple):
    """Where the class of a mixer is, and what a configuration must know of it without Keras.

    mixer      "module:Class"
    recurrent  whether it takes `recurrent_dropout`
    gates      whether it takes `recurrent_activation`
    rotary     whether it rotates pairs of features of each head by their position
    """

    mixer: str
    recurrent: bool = False
    gates: bool = False
    rotary: bool = False


REGISTRY = {
    "simple_rnn": Entry("textapps.backbones.simple_rnn:SimpleRNN", recurrent=True),
    "jordan": Entry("textapps.backbones.jordan:Jordan", recurrent=True),
    "lstm": Entry("textapps.backbones.lstm:LSTM", recurrent=True, gates=True),
    "gru": Entry("textapps.backbones.gru:GRU", recurrent=True, gates=True),
    "transformer": Entry("textapps.backbones.self_attention:SelfAttention", rotary=True),
}
BACKBONES = tuple(REGISTRY)


def mixer_class(kind: str) -> "type[Mixer]":
    """The class of a backbone's mixer.

    Raises:
        ConfigurationError: there is no backbone of this name.
        TypeError: its entry names something else than a mixer.
    """
    from textapps.backbones.mixer import Mixer

    if kind not in REGISTRY:
        raise ConfigurationError(unknown("backbone", kind, REGISTRY))
    place = REGISTRY[kind].mixer
    module, _, name = place.partition(":")
    found = getattr(importlib.import_module(module), name)
    if not (isinstance(found, type) and issubclass(found, Mixer)):
        raise TypeError(f"{place} of backbone '{kind}' is not a Mixer")
    return found
