"""Presets of the sentiment task."""

from pathlib import Path

import pytest

from textapps.backbones.config import BACKBONES
from textapps.core.config import dump_toml
from textapps.core.errors import ConfigurationError
from textapps.tasks.sentiment.config import PRESETS, SentimentConfig


@pytest.mark.parametrize("kind", BACKBONES)
@pytest.mark.parametrize("preset", PRESETS)
def test_every_preset_with_every_backbone_survives_its_file(
    tmp_path: Path, preset: str, kind: str
) -> None:
    config = PRESETS.resolve(flags={"preset": preset, "backbone.kind": kind})
    assert (config.preset, config.backbone.kind) == (preset, kind)
    assert config.backbone.units % 2 == 0  # as reading both ways needs
    path = tmp_path / "config.toml"
    path.write_text(dump_toml(config), encoding="utf-8")
    assert PRESETS.resolve(file=path) == config


def test_the_default_is_small() -> None:
    assert PRESETS.resolve() == PRESETS.resolve(flags={"preset": "small"})
    assert PRESETS.resolve().preset == SentimentConfig().preset == "small"


def test_a_backbone_brings_its_own_values_wherever_it_is_named(tmp_path: Path) -> None:
    ((preset, kind), special), *_ = PRESETS.by_backbone.items()
    section, values = next(iter(special.items()))
    key, value = next(iter(values.items()))
    path = tmp_path / "my.toml"
    path.write_text(f'preset = "{preset}"\n[backbone]\nkind = "{kind}"\n')
    ways = (
        {"flags": {"preset": preset, "backbone.kind": kind}},
        {"environ": {"TEXTAPPS_PRESET": preset, "TEXTAPPS_BACKBONE__KIND": kind}},
        {"file": path},
    )
    for way in ways:
        assert getattr(getattr(PRESETS.resolve(**way), section), key) == value
    (name,) = {f"TEXTAPPS_{section}__{key}".upper()}
    changed = PRESETS.resolve(file=path, environ={name: str(value / 2)})
    assert getattr(getattr(changed, section), key) == value / 2


def test_an_unknown_preset() -> None:
    with pytest.raises(ConfigurationError, match=r"unknown preset 'smal'.*'small'\?"):
        PRESETS.resolve(environ={"TEXTAPPS_PRESET": "smal"})
