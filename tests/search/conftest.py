"""What all searches of tests have."""

from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def _times_are_taken_once(monkeypatch: pytest.MonkeyPatch) -> None:
    from textapps.tasks import comparison

    monkeypatch.setattr(comparison, "ROUNDS", 1)
    monkeypatch.setattr(comparison, "ASKED", 3)
    monkeypatch.setattr("textapps.search.result.TEST_ROUNDS", 1)


@pytest.fixture
def eager() -> Iterator[None]:
    """A few steps of tiny models take less time than to trace them."""
    import tensorflow as tf

    tf.config.run_functions_eagerly(True)
    yield
    tf.config.run_functions_eagerly(False)
