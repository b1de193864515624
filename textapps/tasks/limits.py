"""Estimates of the memory that a model call needs, for the limits of an export."""

from textapps.backbones.config import BackboneConfig
from textapps.backbones.registry import REGISTRY


def position_bytes(backbone: BackboneConfig, span: int, outputs: int = 0) -> int:
    """The memory for each position of a sequence, measured on models of the preset `small`.

    Only a few tensors of a model exist at the same time: its features, gates and attention weights.

    Args:
        span: positions that each position attends to, if the backbone has attention.
        outputs: logits for each position.
    """
    return 4 * (10 * backbone.units + 2 * outputs + 2 * attention_weights(backbone, span))


def attention_weights(backbone: BackboneConfig, span: int) -> int:
    """The attention weights of each position in one block; 0 for a recurrent backbone."""
    return backbone.heads * span if REGISTRY[backbone.kind].rotary else 0
