"""A backbone that only these tests know, to prove that a file and a line make one."""

import pytest

from tests.backbones.maps import TOY
from textapps.backbones.registry import REGISTRY, Entry


@pytest.fixture(autouse=True, scope="module")
def _another_backbone():
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(REGISTRY, TOY, Entry("tests.backbones.moving_average:MovingAverage"))
        yield
