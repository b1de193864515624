"""Tests of textapps.core.errors."""

import pytest

from textapps.core import errors
from textapps.core.errors import TextappsError, unknown


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("TextappsError", 1),
        ("ConfigurationError", 2),
        ("DataError", 3),
        ("DivergedError", 4),
        ("RunError", 1),
        ("LockedError", 1),
        ("ExportError", 1),
    ],
)
def test_exit_codes(name: str, code: int) -> None:
    assert getattr(errors, name).exit_code == code


def test_every_error_is_in_the_tree_of_the_docstring() -> None:
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type)]
    assert {kind.__name__ for kind in kinds if issubclass(kind, TextappsError)} == {
        line.lstrip(" │├└─").split()[0]
        for line in (errors.__doc__ or "").splitlines()
        if "Error " in line
    }


def test_nothing_is_suggested_for_what_is_far_off() -> None:
    assert unknown("backbone", "zzz", ["gru", "lstm"]) == (
        "unknown backbone 'zzz', choose from gru, lstm"
    )
