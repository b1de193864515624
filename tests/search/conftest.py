"""What all searches of tests have."""

import sqlite3
from collections.abc import Iterator

import pytest
from sqlalchemy import event
from sqlalchemy.engine import Engine


@pytest.fixture(autouse=True)
def _times_are_taken_once(monkeypatch: pytest.MonkeyPatch) -> None:
    from textapps.tasks import comparison

    monkeypatch.setattr(comparison, "ROUNDS", 1)
    monkeypatch.setattr(comparison, "ASKED", 3)
    monkeypatch.setattr("textapps.search.result.TEST_ROUNDS", 1)


@pytest.fixture(autouse=True)
def _databases_outlive_no_power_failure() -> Iterator[None]:
    """Waiting for the disk after each of some hundred commits is most of a simulated search."""

    def connected(connection: object, record: object) -> None:
        if isinstance(connection, sqlite3.Connection):
            connection.execute("PRAGMA synchronous = OFF")

    event.listen(Engine, "connect", connected)
    yield
    event.remove(Engine, "connect", connected)


@pytest.fixture
def eager() -> Iterator[None]:
    """A few steps of tiny models take less time than to trace them."""
    import tensorflow as tf

    tf.config.run_functions_eagerly(True)
    yield
    tf.config.run_functions_eagerly(False)
