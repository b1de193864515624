"""The presets of all tasks, and the way from one to a configuration."""

from itertools import permutations
from pathlib import Path

import pytest

from textapps.backbones.registry import BACKBONES
from textapps.core.config import dump_toml
from textapps.core.errors import ConfigurationError
from textapps.core.names import PRESETS, TASKS
from textapps.tasks.registry import get_presets

each_task = pytest.mark.parametrize("task", TASKS)


@pytest.mark.parametrize("kind", BACKBONES)
@pytest.mark.parametrize("preset", PRESETS)
@each_task
def test_every_preset_with_every_backbone_survives_its_file(
    tmp_path: Path, task: str, preset: str, kind: str
) -> None:
    presets = get_presets(task)
    config = presets.resolve(flags={"preset": preset, "backbone.kind": kind})
    assert (config.task, config.preset, config.backbone.kind) == (task, preset, kind)
    assert config.backbone.units % 2 == 0  # as reading both ways needs
    path = tmp_path / "config.toml"
    path.write_text(dump_toml(config), encoding="utf-8")
    assert presets.resolve(file=path) == config


@each_task
def test_the_default_is_small(task: str) -> None:
    presets = get_presets(task)
    assert tuple(presets) == (*PRESETS, *(["micro"] if task == "speech" else []))
    assert presets.resolve() == presets.resolve(flags={"preset": "small"})
    assert presets.resolve().preset == presets.config().preset == "small"


@each_task
def test_a_backbone_brings_its_own_values_wherever_it_is_named(task: str, tmp_path: Path) -> None:
    presets = get_presets(task)
    (preset, kind), special = next(
        (key, values) for key, values in presets.by_backbone.items() if "training" in values
    )
    name, value = next(iter(special["training"].items()))
    path = tmp_path / "my.toml"
    path.write_text(f'preset = "{preset}"\n[backbone]\nkind = "{kind}"\n')
    ways = (
        {"flags": {"preset": preset, "backbone.kind": kind}},
        {"environ": {"TEXTAPPS_PRESET": preset, "TEXTAPPS_BACKBONE__KIND": kind}},
        {"file": path},
    )
    for way in ways:
        assert getattr(presets.resolve(**way).training, name) == value
    environ = {f"TEXTAPPS_TRAINING__{name.upper()}": str(2 * value)}
    assert getattr(presets.resolve(file=path, environ=environ).training, name) == 2 * value


@each_task
def test_an_unknown_preset(task: str) -> None:
    with pytest.raises(ConfigurationError, match=r"unknown preset 'smal'.*'small'\?"):
        get_presets(task).resolve(environ={"TEXTAPPS_PRESET": "smal"})


@each_task
def test_a_preset_that_the_file_overrides_is_not_recorded(
    task: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    presets = get_presets(task)
    path = tmp_path / "config.toml"
    for of_run, named in permutations(PRESETS, 2):
        trained = presets.resolve(flags={"preset": of_run, "training.epochs": 77})
        path.write_text(dump_toml(trained), encoding="utf-8")
        assert presets.resolve(file=path, flags={"preset": named}) == trained
        (record,) = caplog.records
        assert f"preset {named} would set" in record.getMessage()
        assert record.getMessage().endswith(of_run)
        caplog.clear()
        environ = {"TEXTAPPS_PRESET": named, "TEXTAPPS_RANDOM_SEED": "5"}
        found = presets.resolve(file=path, environ=environ, flags={"training.epochs": 9})
        assert (found.preset, found.random_seed, found.training.epochs) == (of_run, 5, 9)
        caplog.clear()
        path.write_text(f'preset = "{of_run}"\n[training]\nepochs = 77\n')
        partly = presets.resolve(file=path, flags={"preset": named})
        assert partly == presets.resolve(flags={"preset": named, "training.epochs": 77})
    assert not caplog.records
