import pytest
from pydantic import ValidationError

from textapps.backbones.config import BackboneConfig, StemConfig


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"kind": "gur"}, "unknown backbone 'gur', choose from simple_rnn.*did you mean 'gru'"),
        ({"kind": 3}, "kind"),
        ({"units": 1}, "units"),
        ({"dropout": 1.0}, "dropout"),
        ({"unit": 3}, "unit"),
        ({"attention": "dots"}, "attention"),
        ({"kind": "simple_rnn", "recurrent_activation": "sigmoid"}, "simple_rnn has no gates"),
        ({"kind": "transformer", "recurrent_dropout": 0.1}, "transformer has no such weights"),
        ({"kind": "transformer", "units": 12, "heads": 4}, "multiple of 2 x heads"),
    ],
)
def test_what_cannot_be_is_refused(options, message):
    with pytest.raises(ValidationError, match=message):
        BackboneConfig(**options)


def test_channels_without_a_convolution_are_refused():
    with pytest.raises(ValidationError, match="channels needs a convolution"):
        StemConfig(strides=(), channels=4)
