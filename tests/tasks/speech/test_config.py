"""Presets of the speech task."""

from pathlib import Path

import pytest

from textapps.backbones.config import BACKBONES
from textapps.core.config import dump_toml
from textapps.core.errors import ConfigurationError
from textapps.tasks.speech.config import PRESETS, SpeechConfig

LIMITS = {"tiny": 30_000, "small": 250_000}


@pytest.mark.parametrize("kind", BACKBONES)
@pytest.mark.parametrize("preset", PRESETS)
def test_every_preset_with_every_backbone_survives_its_file(
    tmp_path: Path, preset: str, kind: str
) -> None:
    flags = {"preset": preset, "backbone.kind": kind, "data.commands": "yes,no"}
    config = PRESETS.resolve(flags=flags)
    assert (config.preset, config.backbone.kind) == (preset, kind)
    assert config.backbone.units % 2 == 0  # as reading both ways needs
    assert config.data.commands == ("yes", "no")
    path = tmp_path / "config.toml"
    path.write_text(dump_toml(config), encoding="utf-8")
    assert PRESETS.resolve(file=path) == config


def test_the_default_is_small() -> None:
    assert PRESETS.resolve() == PRESETS.resolve(flags={"preset": "small"})
    assert PRESETS.resolve().preset == SpeechConfig().preset == "small"


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


def test_an_unknown_preset() -> None:
    with pytest.raises(ConfigurationError, match=r"unknown preset 'smal'.*'small'\?"):
        PRESETS.resolve(environ={"TEXTAPPS_PRESET": "smal"})
