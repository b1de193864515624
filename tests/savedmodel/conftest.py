"""The tiny models that the server is tested with."""

from tests.serving.conftest import built as built
