import pytest
from pydantic import ValidationError

from textapps.backbones.config import BackboneConfig


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"kind": "gur"}, "kind"),
        ({"units": 1}, "units"),
        ({"dropout": 1.0}, "dropout"),
        ({"unit": 3}, "unit"),
        ({"attention": "dots"}, "attention"),
        ({"kind": "simple_rnn", "recurrent_activation": "sigmoid"}, "has no gates"),
        ({"kind": "transformer", "units": 12, "heads": 4}, "multiple of 2 x heads"),
    ],
)
def test_what_cannot_be_is_refused(options, message):
    with pytest.raises(ValidationError, match=message):
        BackboneConfig(**options)
