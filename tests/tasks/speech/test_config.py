"""Presets of the speech task."""

from pathlib import Path

import pytest

from textapps.backbones.config import BACKBONES
from textapps.core.config import Flags, dump_toml
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


@pytest.mark.parametrize(
    ("key", "value", "option"),
    [("backbone.kind", "lstm", "--backbone"), ("backbone.layers", 2, "--layers")],
)
def test_micro_has_no_backbone(key: str, value: object, option: str) -> None:
    flags = Flags({"preset": "micro", key: value}, {"preset": "--preset", key: option})
    with pytest.raises(ConfigurationError, match=f"{option} changes nothing: the preset micro"):
        PRESETS.resolve(flags=flags)
    flags = Flags({**flags, "preset": "tiny"}, flags.options)
    assert PRESETS.resolve(flags=flags).preset == "tiny"
    own = Flags({"preset": "micro", "backbone.kind": "gru"}, {"backbone.kind": "--backbone"})
    assert PRESETS.resolve(flags=own).model.convolutional


def test_micro_does_not_stream(tmp_path: Path) -> None:
    flags = {"preset": "micro", "model.streaming": True}
    with pytest.raises(ConfigurationError, match="the preset micro has no streaming models"):
        PRESETS.resolve(flags=flags)
    file = tmp_path / "config.toml"  # of an earlier version's run
    micro = PRESETS.resolve(flags={"preset": "micro"})
    model = micro.model.model_copy(update={"streaming": True})
    file.write_text(dump_toml(micro.model_copy(update={"model": model})))
    assert PRESETS.of_run(file).model.streaming


def test_answers_must_not_be_further_apart_than_a_clip_is_long() -> None:
    flags = {"detection.hop_ms": 600, "preprocessor.clip_seconds": 0.5}
    with pytest.raises(ConfigurationError, match=r"hop_ms 600 must not be more than .*0\.5 s"):
        PRESETS.resolve(flags=flags)
