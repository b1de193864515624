"""The space of a search: around every preset, and narrowed by a user."""

import json
import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from textapps.core.config import Flags, dump_toml
from textapps.core.errors import ConfigurationError
from textapps.core.keys import keys_of
from textapps.core.names import PRESETS, TASKS
from textapps.search.narrowing import Narrowed, narrowed
from textapps.search.space import KIND, Space
from textapps.tasks.registry import get_presets

RATE = "training.learning_rate"


def space(task: str = "sentiment", **options: Any) -> Space[Any]:
    flags = Flags(options.pop("flags", {}))
    return Space(get_presets(task), flags, **options)


def draw(of: Space[Any], seed: int) -> dict[str, Any]:
    """A random point, by other means than Optuna's."""
    random_ = random.Random(seed)
    point: dict[str, Any] = {}
    for key, one in of.dimensions.items():
        if one.choices:
            point[key] = random_.choice(one.choices)
        elif one.whole:
            point[key] = random_.randint(int(one.low), int(one.high))
        else:
            point[key] = random_.uniform(one.low, one.high)
    return point


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("task", TASKS)
def test_the_first_point_is_the_preset_as_it_stands(task: str, preset: str) -> None:
    found = space(task, flags={"preset": preset})
    wanted = get_presets(task).resolve(flags={"preset": preset})
    assert found.base == wanted
    assert found.config(found.points[0]) == wanted
    for one in found.dimensions.values():
        assert one.point in one.choices or one.low <= one.point <= one.high


@given(task=st.sampled_from(TASKS), preset=st.sampled_from(PRESETS), seed=st.integers(0, 10**6))
def test_every_point_is_a_configuration(task: str, preset: str, seed: int) -> None:
    """Only values that exclude one another may be refused, and few points have them."""
    found = space(task, flags={"preset": preset})
    refused = 0
    for number in range(5):
        try:
            config = found.config(draw(found, seed + number))
        except ConfigurationError:
            refused += 1
        else:
            assert config.backbone.kind in found.dimensions[KIND].choices
            assert config.data == found.base.data
    assert refused <= 2


@pytest.mark.parametrize("units", [None, "48..500"])
def test_a_transformer_has_a_width_that_its_heads_divide(units: str | None) -> None:
    flags = {} if units is None else {"backbone.units": units}
    found = space("generate", flags={"preset": "base", **flags})
    for seed in range(40):
        config = found.config({**draw(found, seed), KIND: "transformer"})
        assert config.backbone.units % (2 * config.backbone.heads) == 0


def test_a_key_of_which_one_value_is_given_has_it_in_all_trials() -> None:
    found = space(flags={RATE: 0.002, "training.epochs": 2})
    assert {RATE, "training.epochs"}.isdisjoint(found.dimensions)
    for seed in range(5):
        config = found.config(draw(found, seed))
        assert (config.training.learning_rate, config.training.epochs) == (0.002, 2)


def test_a_factor_is_one_of_the_preset_of_the_same_backbone() -> None:
    found = space(flags={"preset": "small"})
    point = found.points[0]
    presets = get_presets("sentiment")
    for kind in ("gru", "transformer"):
        own = presets.resolve(flags={"preset": "small", KIND: kind}).training.learning_rate
        config = found.config({**point, KIND: kind, RATE: 2.0})
        assert config.training.learning_rate == pytest.approx(2 * own)


def test_ranges_and_lists_narrow_the_space() -> None:
    flags = {RATE: "1e-4..1e-2", "backbone.units": "64, 128", "model.pooling": "max_mean,max"}
    found = space(flags=flags).dimensions
    assert (found[RATE].low, found[RATE].high, found[RATE].log) == (1e-4, 1e-2, True)
    assert found["backbone.units"].choices == (128, 64)
    assert found["model.pooling"].choices == ("max_mean", "max")
    narrow = space(flags={"training.epochs": "2..9"}).dimensions["training.epochs"]
    assert (narrow.low, narrow.high, narrow.whole, narrow.log) == (2, 9, True, False)


def test_a_key_that_is_not_searched_by_default_can_be() -> None:
    found = space(flags={"training.weight_decay": "0.001..0.1"})
    assert found.config({**found.points[0], "training.weight_decay": 0.05}).training.weight_decay


@pytest.mark.parametrize(
    ("kinds", "kind", "choices"),
    [
        ((), "gru", ("gru", "lstm", "transformer")),
        (("lstm", "gru"), "gru", ("gru", "lstm")),
        (("lstm", "simple_rnn"), "lstm", ("lstm", "simple_rnn")),
        (("lstm",), "lstm", None),
    ],
)
def test_backbones(kinds: tuple[str, ...], kind: str, choices: tuple[str, ...] | None) -> None:
    found = space(kinds=kinds)
    assert found.base.backbone.kind == kind
    assert found.base == get_presets("sentiment").resolve(flags={KIND: kind})
    assert (found.dimensions[KIND].choices if KIND in found.dimensions else None) == choices


@pytest.mark.parametrize(
    ("flags", "told"),
    [
        ({RATE: "1e-5..1e-4"}, r"excludes the preset, which has 0.003 .*: include it"),
        ({"model.pooling": "mean,max"}, "excludes the preset, which has max_mean"),
        ({"training.monitor": "auto,loss"}, 'training.monitor = "auto,loss"'),
        ({"preset": "tiny,small"}, "unknown preset 'tiny,small'"),
        ({RATE: "1e-2..1e-4"}, "the range is empty"),
        ({RATE: "a..b"}, "'a' is not one of the numbers"),
        ({"training.epochs": "1.5..9"}, "'1.5' is not one of the whole numbers"),
        ({"model.pooling": "max..mean"}, "a range needs numbers; list the values"),
        ({"model.pooling": "max,men"}, "unknown value 'men', .*; did you mean 'mean'"),
        ({"backbone.residual": "yes,no"}, "unknown value 'yes', choose from true, false"),
        ({"backbone.residual": "maybe,true"}, "unknown value 'maybe', choose from true, false"),
        ({"backbone.units": ","}, "backbone.units = ,: the list is empty; give the values to try"),
        ({"training.learning_rat": "1e-4..1e-2"}, "unknown key 'training.learning_rat'"),
        ({RATE: "1e-4..1e2"}, "learning_rate = 100.0 .*should be less than or equal to 10"),
    ],
)
def test_what_cannot_be_searched_is_refused(flags: dict[str, object], told: str) -> None:
    with pytest.raises(ConfigurationError, match=told):
        space(flags=flags)


def test_without_a_backbone_its_keys_are_left_out() -> None:
    starts = {"pretrained:commands": Path("config.toml")}
    found = space("speech", flags={"preset": "micro"}, starts=starts)
    names = found.dimensions.keys()
    assert {name for name in names if name.startswith("backbone.")} == {"backbone.units"}
    assert {"model.pooling", "start.init_from"}.isdisjoint(names)
    assert {RATE, "stem.dropout", "model.head_dropout"} <= names
    wanted = get_presets("speech").resolve(flags={"preset": "micro"})
    assert found.config(found.points[0]) == wanted
    named = space("speech", flags={"preset": "micro", "model.pooling": "mean,max"}, starts=starts)
    assert named.dimensions["model.pooling"].choices == ("mean", "max")


@pytest.mark.parametrize(
    ("flags", "kinds", "told"),
    [
        ({}, ("gru", "lstm"), "--backbone has no effect in a model without a backbone"),
        ({"backbone.layers": "1,2"}, (), "backbone.layers has no effect in a model without"),
        ({KIND: "gru,lstm"}, (), "backbone.kind has no effect in a model without"),
    ],
)
def test_without_a_backbone_none_can_be_chosen(
    flags: dict[str, object], kinds: tuple[str, ...], told: str
) -> None:
    with pytest.raises(ConfigurationError, match=told):
        space("speech", flags={"preset": "micro", **flags}, kinds=kinds)


def test_an_empty_space_is_refused() -> None:
    every = space()
    flags = {key: values for key, values in flat(every.base).items() if key in every.dimensions}
    with pytest.raises(ConfigurationError, match="the space is empty"):
        space(flags=flags)


def flat(config: Any) -> dict[str, Any]:
    sections = config.model_dump()
    return {
        f"{section}.{key}": value
        for section, table in sections.items()
        if isinstance(table, dict)
        for key, value in table.items()
    }


def test_pretrained_starts_are_tried_first(packed: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    model = packed("sentiment")
    monkeypatch.setenv("TEXTAPPS_PRETRAINED_DIR", str(model.path.parent))
    found = space(flags={"preset": "tiny"}, starts={"pretrained:imdb": model.path / "config.toml"})
    first, second = found.points
    assert (first["start.init_from"], second["start.init_from"]) == ("none", "pretrained:imdb")
    assert found.config(first).start.init_from is None
    changed = {RATE: 2.0, "backbone.units": 1.5, "model.ngram_share": 0.5}
    config = found.config({**second, **changed})
    wanted = get_presets("sentiment").resolve(
        flags={"preset": "tiny", "start.init_from": "pretrained:imdb"},
        start=model.path / "config.toml",
    )
    # The model is that of the start; how to train it may differ, and how it mixes both paths.
    assert (config.backbone, config.preprocessor) == (wanted.backbone, wanted.preprocessor)
    assert config.training.learning_rate == pytest.approx(
        2 * wanted.training.learning_rate, rel=0.01
    )
    assert config.model.ngram_share == pytest.approx(0.5 * wanted.model.ngram_share)
    fixed = space(
        flags={"start.init_from": "none"}, starts={"pretrained:imdb": Path("config.toml")}
    )
    assert len(fixed.points) == 1
    assert fixed.config(fixed.points[0]).start.init_from is None


def test_what_has_no_effect_is_not_varied() -> None:
    share = "model.ngram_share"
    assert share in space(flags={"preset": "tiny"}).dimensions  # some trials have n-grams
    assert share in space(flags={"preset": "tiny", "model.ngrams": 2}).dimensions
    assert share not in space(flags={"preset": "tiny", "model.ngrams": 0}).dimensions


def test_a_range_with_a_value_in_it_that_cannot_be_is_refused() -> None:
    with pytest.raises(ConfigurationError, match=r"model\.ngrams = 1 .*one character"):
        Space(get_presets("generate"), Flags({"preset": "tiny", "model.ngrams": "0..4"}))


def test_a_generator_that_starts_from_a_run_varies_ngrams_and_their_share(tmp_path: Path) -> None:
    origin = str(tmp_path / "run")
    flags = Flags({"preset": "tiny", "start.init_from": origin})
    config = tmp_path / "config.toml"
    config.write_text(dump_toml(get_presets("generate").resolve(flags={"preset": "tiny"})))
    varied = Space(get_presets("generate"), flags, starts={origin: config}).dimensions
    assert {"model.ngrams", "model.ngram_share"} <= varied.keys()


def test_the_second_point_is_the_preset_with_ngrams() -> None:
    of = Space(get_presets("generate"), Flags({"preset": "tiny"}))
    first, second, *_ = of.points
    assert second == {**first, "model.ngrams": 6}
    for flags in ({"preset": "base"}, {"model.ngrams": "0,3"}, {"model.ngrams": 0}):
        of = Space(get_presets("generate"), Flags(flags))
        assert len(of.points) == 1, flags


def test_starts_can_be_listed() -> None:
    starts = {f"pretrained:{name}": Path("config.toml") for name in ("imdb", "words", "zh")}
    found = space(flags={"start.init_from": "none, pretrained:zh,pretrained:imdb"}, starts=starts)
    assert found.starts == ["pretrained:zh", "pretrained:imdb"]
    assert space(starts=starts).starts == list(starts)
    with pytest.raises(ConfigurationError, match=r"start 'pretrained:wods', .*'pretrained:words'"):
        space(flags={"start.init_from": "none,pretrained:wods"}, starts=starts)
    keys = {key.name: key for key in keys_of(get_presets("sentiment").config)}
    for path in ("a,b", "runs/../a", "pretrained:imdb", "none"):  # one start each
        flags = Flags({"start.init_from": path})
        assert narrowed(flags, keys) == (flags, {})


@pytest.mark.slow
def test_a_start_knows_all_that_the_preset_would_know(
    packed: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else what it does not know would count as well predicted."""
    model = packed("generate")
    monkeypatch.setenv("TEXTAPPS_PRETRAINED_DIR", str(model.path.parent))
    found = space(
        "generate",
        flags={"preset": "tiny"},
        starts={"pretrained:shakespeare": model.path / "config.toml"},
        same_vocabulary=True,
    )
    config = found.config(found.points[-1])
    assert config.start.extend_vocabulary
    assert config.preprocessor.min_count == found.base.preprocessor.min_count
    assert not found.base.start.extend_vocabulary


def test_processes_know_whether_they_search_the_same() -> None:
    one, same = space(flags={"random_seed": 1}), space(flags={"random_seed": 2})
    assert json.loads(one.document)
    assert one.document == same.document
    assert one.document != space(flags={RATE: "1e-4..1e-2"}).document


@given(low=st.integers(1, 99), more=st.integers(1, 99))
def test_ranges_are_read_as_they_are_written(low: int, more: int) -> None:
    keys = {key.name: key for key in keys_of(get_presets("sentiment").config)}
    fixed, ranges = narrowed(Flags({"backbone.units": f"{low}..{low + more}"}), keys)
    assert (fixed, ranges) == ({}, {"backbone.units": Narrowed(low, low + more)})


def test_a_key_without_effect_is_that_of_the_preset() -> None:
    """So that a trial which differs in it alone counts as tried."""
    space = Space(get_presets("generate"), Flags({"preset": "tiny"}))
    point = {**space.points[0], "model.ngram_share": 2.0}
    assert space.config(point) == space.base
    with_ngrams = space.config({**point, "model.ngrams": 3})
    assert (with_ngrams.model.ngrams, with_ngrams.model.ngram_share) == (3, 0.5)
