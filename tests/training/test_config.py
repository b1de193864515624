import pytest
from pydantic import ValidationError

from textapps.training.config import TrainingConfig


@pytest.mark.parametrize(
    "values",
    [
        {"epochs": 0},
        {"batch_size": 0},
        {"learning_rate": 0.0},
        {"learning_rate": float("nan")},
        {"schedule": "cosin"},
        {"warmup_steps": -1},
        {"weight_decay": -0.1},
        {"clip_norm": -1.0},
        {"average": 1.0},
        {"average_last": -1},
        {"average": 0.9, "average_last": 3},
        {"patience": -1},
        {"checkpoint_steps": 0},
        {"max_seconds": 0.0},
        {"epoch": 3},
    ],
)
def test_refuses_what_cannot_be(values):
    with pytest.raises(ValidationError):
        TrainingConfig.model_validate(values)


def test_is_frozen():
    with pytest.raises(ValidationError):
        TrainingConfig().epochs = 5
