"""The one list of backbones, and what it and the mixers say of each other."""

import numpy as np
import pytest

from tests.backbones.maps import KINDS, TOY
from textapps.backbones.backbone import Backbone
from textapps.backbones.config import BackboneConfig
from textapps.backbones.registry import BACKBONES, REGISTRY, Entry, mixer_class
from textapps.core.errors import ConfigurationError
from textapps.tasks.generate.config import GenerateConfig
from textapps.tasks.generate.model import LanguageModel


def test_the_list_of_backbones():
    assert BACKBONES == ("simple_rnn", "jordan", "lstm", "gru", "transformer")


@pytest.mark.parametrize("kind", KINDS)
def test_a_line_and_its_class_say_the_same(kind):
    mixer = mixer_class(kind)
    assert ("recurrent_activation" in mixer.options) == REGISTRY[kind].gates
    assert ("recurrent_dropout" in mixer.options) == REGISTRY[kind].recurrent
    made = mixer.of(BackboneConfig(kind=kind, units=8, heads=2), causal=True)
    assert tuple(made.initial_state(2)) == mixer.leaves
    assert set(mixer.options) <= set(made.get_config())


def test_what_is_no_backbone_and_what_is_no_mixer(monkeypatch):
    with pytest.raises(ConfigurationError, match=r"unknown backbone 'lsmt'.*did you mean 'lstm'"):
        mixer_class("lsmt")
    monkeypatch.setitem(REGISTRY, "wrong", Entry("textapps.backbones.backbone:Backbone"))
    with pytest.raises(TypeError, match="of backbone 'wrong' is not a Mixer"):
        mixer_class("wrong")


def test_sizes_that_do_not_fit_together_are_refused():
    odd = BackboneConfig(kind="gru", units=7)
    with pytest.raises(ConfigurationError, match="units 7 must be even, because a gru that reads"):
        Backbone(odd, causal=False)
    with pytest.raises(ConfigurationError, match=r"units 7 must be a multiple of heads \(4\)"):
        Backbone(odd, memory_units=5)
    for attention in ("dot", "additive", "none"):
        Backbone(odd.model_copy(update={"attention": attention}), memory_units=5)
    with pytest.raises(ValueError, match="7 wide, not 6"):
        Backbone(odd)(np.zeros((2, 3, 6), "float32"))


@pytest.mark.parametrize(
    ("kind", "activation", "inner", "shape"),
    [
        ("transformer", "relu", None, 4 * 8),
        ("transformer", None, 0, None),
        ("gru", "relu", None, None),
        ("gru", "relu", 5, 5),
        (TOY, "relu", None, 8),
    ],
)
def test_the_feed_forward_part_is_as_the_mixer_or_the_configuration_says(
    kind, activation, inner, shape
):
    config = BackboneConfig(
        kind=kind, units=8, heads=2, activation=activation, feed_forward=inner, dropout=0
    )
    (block,) = Backbone(config).blocks
    if shape is None:
        assert block.feed_forward is None
        return
    expand, contract = block.feed_forward.layers
    assert (expand.units, contract.units) == (shape, 8)
    # a cell takes the activation for itself
    assert expand.activation.__name__ == ("gelu" if kind == "gru" else "relu")


def test_a_task_takes_a_backbone_that_it_does_not_know():
    backbone = BackboneConfig(kind=TOY, units=8, layers=2)
    model = LanguageModel(GenerateConfig(backbone=backbone), 11)
    model.build()
    assert model.backbone.compiled_from == 20_000
    ids = np.array([[3, 4, 5, 6], [7, 8, 9, 2]], np.int32)
    whole, _ = model.read(ids)
    _, state = model.read(ids[:, :2])
    logits, _ = model.decode_step(ids[:, 2:], state)
    np.testing.assert_allclose(logits, whole[:, -1], atol=1e-5)
