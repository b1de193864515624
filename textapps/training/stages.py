"""The layers of a model in order, to freeze the first ones or to train them more slowly."""

from typing import Any

from textapps.core.errors import ConfigurationError
from textapps.training.start_config import StartConfig
from textapps.training.weights import is_carried


def stages(model: Any) -> list[Any]:
    """The layers with weights of a built model, the input's first; a backbone counts by block."""
    layers = []
    for layer in model.layers:
        blocks = getattr(layer, "blocks", None)
        layers += [layer] if blocks is None else [*blocks, layer.norm]
    return [
        layer
        for layer in layers
        if layer is not None and not all(is_carried(weight.path) for weight in layer.weights)
    ]


def freeze(model: Any, config: StartConfig) -> None:
    """Keeps training from changing the first `freeze_layers` stages.

    Raises:
        ConfigurationError: the model has no more stages than that.
    """
    if not config.freeze_layers:
        return
    found = stages(model)
    if config.freeze_layers >= len(found):
        names = ", ".join(layer.name for layer in found)
        raise ConfigurationError(
            f"start.freeze_layers {config.freeze_layers} leaves nothing to train: the model has "
            f"{len(found)} layers ({names}); freeze fewer"
        )
    for layer in found[: config.freeze_layers]:
        layer.trainable = False


def thaw(model: Any, config: StartConfig) -> None:
    """Undoes `freeze`."""
    for layer in stages(model)[: config.freeze_layers]:
        layer.trainable = True


def learning_rates(model: Any, decay: float) -> list[float]:
    """The share of the learning rate that each trainable variable of a built model has.

    It is 1 in the last stage and falls by `decay` from stage to stage towards the input (Howard
    and Ruder 2018, section 3.2, discriminative fine-tuning).
    """
    shares = {}
    found = stages(model)
    for depth, layer in enumerate(reversed(found)):
        shares.update({id(variable): decay**depth for variable in layer.trainable_variables})
    return [shares.get(id(variable), 1.0) for variable in model.trainable_variables]
