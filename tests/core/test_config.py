"""Tests of textapps.core.config: precedence, one-line errors, the round trip through TOML."""

from pathlib import Path
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field, ValidationError, model_validator

from textapps.core.config import (
    Flags,
    Section,
    dump_toml,
    load_toml,
    lookup,
    parse_setting,
    read_toml,
    resolve,
)
from textapps.core.errors import ConfigurationError


class Data(Section):
    source: str = "imdb_reviews"
    label_column: str | None = None


class Training(Section):
    batch_size: int = Field(32, ge=1, le=4096)
    learning_rate: float = Field(0.001, gt=0)
    schedule: Literal["constant", "linear", "cosine"] = "constant"
    warmup_steps: int | Literal["pass"] = 0
    betas: tuple[float, float] = (0.9, 0.999)
    max_seconds: float | None = 60.0
    tensorboard: bool = False

    @model_validator(mode="after")
    def _rates_agree(self) -> "Training":
        if self.schedule == "linear" and self.warmup_steps == 0:
            raise ValueError("schedule 'linear' needs warmup_steps")
        return self


class Config(Section):
    task: str = "sentiment"
    random_seed: int = 0
    data: Data = Data()
    training: Training = Training()


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "my.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_precedence_of_flag_environment_file_preset(tmp_path: Path) -> None:
    file = write(tmp_path, "[training]\nbatch_size = 2\nlearning_rate = 0.2\ntensorboard = true\n")
    preset = {"training": {"batch_size": 1, "learning_rate": 0.1, "max_seconds": 5}}
    environ = {"TEXTAPPS_TRAINING__BATCH_SIZE": "3", "TEXTAPPS_TRAINING__LEARNING_RATE": "0.3"}
    flags = {"training.batch_size": 4, "training.learning_rate": None}
    config = resolve(Config, preset=preset, file=file, environ=environ, flags=flags)
    assert config.training.batch_size == 4
    assert config.training.learning_rate == 0.3
    assert config.training.tensorboard is True
    assert config.training.max_seconds == 5
    assert preset == {"training": {"batch_size": 1, "learning_rate": 0.1, "max_seconds": 5}}


def test_environment_takes_known_sections_only() -> None:
    environ = {
        "TEXTAPPS_MODELS_DIR": "elsewhere",
        "TEXTAPPS_DECODING__BEAMS": "3",
        "TEXTAPPS_RANDOM_SEED": "7",
        "TEXTAPPS_DATA__SOURCE": "",
        "TRAINING__BATCH_SIZE": "9",
    }
    config = resolve(Config, environ=environ)
    assert config == Config(random_seed=7)


@pytest.mark.parametrize(
    ("environ", "message"),
    [
        (
            {"TEXTAPPS_TRAINING__BATCHSIZE": "3"},
            "unknown key 'training.batchsize' from environment variable "
            "TEXTAPPS_TRAINING__BATCHSIZE, did you mean 'batch_size'?",
        ),
        (
            {"TEXTAPPS_TRAINING__BATCH_SIZE": "many"},
            'training.batch_size = "many" from environment variable TEXTAPPS_TRAINING__BATCH_SIZE: '
            "should be a valid integer, unable to parse string as an integer",
        ),
        (
            {"TEXTAPPS_DATA": "my.csv"},
            "environment variable TEXTAPPS_DATA names a section, not a key in it: use "
            "TEXTAPPS_DATA__KEY",
        ),
    ],
)
def test_environment_errors(environ: dict[str, str], message: str) -> None:
    with pytest.raises(ConfigurationError) as error:
        resolve(Config, environ=environ)
    assert str(error.value) == message


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (
            Flags({"training.batch_size": 0}, {"training.batch_size": "--batch-size"}),
            "training.batch_size = 0 from --batch-size: should be greater than or equal to 1",
        ),
        (
            Flags({"data.source": ["a"]}, {"data.source": "--data"}),
            'data.source = ["a"] from --data: should be a valid string',
        ),
        (
            {"training.schedule": "linea"},
            "training.schedule = \"linea\" from --schedule: should be 'constant', 'linear' or "
            "'cosine'; did you mean 'linear'?",
        ),
        (
            {"training.schedule": "linear"},
            "training: schedule 'linear' needs warmup_steps",
        ),
        (
            {"trainig.batch_size": 3},
            "unknown key 'trainig' from --batch-size, did you mean 'training'?",
        ),
        (
            {"zzz": 3},
            "unknown key 'zzz' from --zzz, choose from task, random_seed, data, training",
        ),
    ],
)
def test_flag_errors(flags: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigurationError) as error:
        resolve(Config, flags=flags)
    assert str(error.value) == message


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "[training]\nbatchsize = 3\n",
            "unknown key 'training.batchsize' in {}, did you mean 'batch_size'?",
        ),
        (
            '[training]\nbatch_size = "32"\n',
            'training.batch_size = "32" in {}: should be a valid integer',
        ),
        (
            '[training]\nwarmup_steps = "32"\n',
            'training.warmup_steps = "32" in {}: should be a valid integer',
        ),
        (
            "[training]\nlearning_rate = -0.5\n",
            "training.learning_rate = -0.5 in {}: should be greater than 0",
        ),
        ("[trainin]\nx = 1\n", "unknown key 'trainin' in {}, did you mean 'training'?"),
        (
            "format = 2\n",
            "{} has format 2, this version of textapps reads 1: install a newer textapps",
        ),
        ('format = "x"\n', "{} has format 'x'; it should be 1"),
    ],
)
def test_file_errors(tmp_path: Path, text: str, message: str) -> None:
    file = write(tmp_path, text)
    with pytest.raises(ConfigurationError) as error:
        resolve(Config, file=file)
    assert str(error.value) == message.format(file)


@pytest.mark.parametrize("content", [b"x = \n", b"\xff\xfe", b'x = "a\0"\n'])
def test_a_file_that_is_no_toml(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "my.toml"
    path.write_bytes(content)
    with pytest.raises(ConfigurationError, match=r"my\.toml is not valid TOML: "):
        read_toml(path)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"cannot read .*none\.toml: No such file"):
        read_toml(tmp_path / "none.toml")


def test_byte_order_mark_and_crlf_are_read(tmp_path: Path) -> None:
    path = tmp_path / "my.toml"
    path.write_bytes(b"\xef\xbb\xbfformat = 1\r\n[training]\r\nbatch_size = 3\r\n")
    assert read_toml(path) == {"training": {"batch_size": 3}}


def test_a_rule_between_keys_may_be_mended_by_a_flag(tmp_path: Path) -> None:
    file = write(tmp_path, '[training]\nschedule = "linear"\n')
    config = resolve(Config, file=file, flags={"training.warmup_steps": "5"})
    assert config.training.warmup_steps == 5


def test_a_required_key_is_named() -> None:
    class Needs(Section):
        width: int

    with pytest.raises(ConfigurationError) as error:
        resolve(Needs)
    assert str(error.value) == "width is not given: use --set width=… or the configuration file"


@pytest.mark.parametrize(
    ("text", "key", "value"),
    [
        ("training.batch_size=32", "training.batch_size", 32),
        ("training.betas=[0.8, 0.9]", "training.betas", [0.8, 0.9]),
        ("data.source = a=b.csv", "data.source", "a=b.csv"),
        ('data.label_column="3"', "data.label_column", "3"),
        ("training.tensorboard=true", "training.tensorboard", True),
        ("data.source=", "data.source", ""),
        ("data.source=x\ny = 3", "data.source", "x\ny = 3"),
    ],
)
def test_parse_setting(text: str, key: str, value: object) -> None:
    assert parse_setting(text) == (key, value)


@pytest.mark.parametrize("text", ["training.batch_size", "=3", ""])
def test_parse_setting_refuses(text: str) -> None:
    with pytest.raises(ConfigurationError, match="does not have the form KEY=VALUE"):
        parse_setting(text)


def test_settings_reach_text_keys_and_whole_sections() -> None:
    flags = dict(map(parse_setting, ["data.label_column=3", "training={batch_size = 5}"]))
    config = resolve(Config, preset={"training.learning_rate": 0.5}, flags=flags)
    assert config.data.label_column == "3"
    assert (config.training.batch_size, config.training.learning_rate) == (5, 0.5)


def test_none_is_written_only_where_it_is_no_default(tmp_path: Path) -> None:
    config = Config(training=Training(max_seconds=None))
    text = dump_toml(config)
    assert text.startswith('format = 1\ntask = "sentiment"\n')
    assert 'max_seconds = "none"' in text
    assert "label_column" not in text
    assert load_toml(write(tmp_path, text), Config) == config
    assert resolve(Data, flags={"label_column": "none"}).label_column == "none"


texts = st.text(st.characters(codec="utf-8"))
configs = st.builds(
    Config,
    random_seed=st.integers(0, 2**31),
    data=st.builds(Data, source=texts, label_column=st.none() | texts),
    training=st.builds(
        Training,
        batch_size=st.integers(1, 4096),
        learning_rate=st.floats(1e-9, 1e9),
        schedule=st.sampled_from(["linear", "cosine"]),
        warmup_steps=st.integers(1, 9) | st.just("pass"),
        betas=st.tuples(st.floats(0, 1), st.floats(0, 1)),
        max_seconds=st.none() | st.floats(0),
        tensorboard=st.booleans(),
    ),
)


@given(config=configs)
def test_toml_round_trip(config: Config, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("toml") / "config.toml"
    path.write_text(dump_toml(config), encoding="utf-8", newline="")
    assert load_toml(path, Config) == config


def test_lookup_before_there_is_a_model(tmp_path: Path) -> None:
    file = write(tmp_path, 'preset = "tiny"\n[backbone]\nkind = "gru"\n')
    assert lookup("preset", file=file) == "tiny"
    assert lookup("backbone.kind", file=file) == "gru"
    assert lookup("preset.kind", file=file) is None
    environ = {"TEXTAPPS_BACKBONE__KIND": "lstm"}
    assert lookup("backbone.kind", file=file, environ=environ) == "lstm"
    assert lookup("backbone.kind", environ=environ, flags={"backbone.kind": "x"}) == "x"
    assert lookup("backbone.kind", environ=environ, flags={"backbone": {"kind": "x"}}) == "x"
    lower = {"TEXTAPPS_backbone__kind": "lstm"}  # is not read by `resolve` either
    assert lookup("backbone.kind", environ=lower) is None
    assert resolve(Config, environ=lower) == Config()


def test_a_section_is_frozen_and_strict() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        Config().random_seed = 3  # type: ignore[misc]
    with pytest.raises(ValidationError, match="Extra inputs"):
        Training(batchsize=3)  # type: ignore[call-arg]
