"""Presets of the speech task."""

import pytest

from textapps.backbones.config import BACKBONES
from textapps.core.errors import ConfigurationError
from textapps.tasks.speech.config import PRESETS

LIMITS = {"tiny": 30_000, "small": 250_000}


@pytest.mark.parametrize("streaming", [False, True])
@pytest.mark.parametrize("kind", BACKBONES)
@pytest.mark.parametrize("preset", LIMITS)
def test_the_parameters_that_a_preset_may_have(preset: str, kind: str, streaming: bool) -> None:
    from textapps.preprocessing.log_mel import FrontEnd
    from textapps.tasks.speech.model import SpeechModel

    flags = {"preset": preset, "backbone.kind": kind, "model.streaming": streaming}
    config = PRESETS.resolve(flags=flags)
    model = SpeechModel(config, FrontEnd(config.preprocessor), classes=10)
    model.build()
    assert LIMITS[preset] / 4 < model.count_params() <= LIMITS[preset]


def test_answers_must_not_be_further_apart_than_a_clip_is_long() -> None:
    flags = {"detection.hop_ms": 600, "preprocessor.clip_seconds": 0.5}
    with pytest.raises(ConfigurationError, match=r"hop_ms 600 must not be more than .*0\.5 s"):
        PRESETS.resolve(flags=flags)
