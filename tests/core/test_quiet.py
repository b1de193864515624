"""Tests of what C++ libraries write to stderr."""

import os

import pytest

from textapps.core.quiet import stderr_aside


def test_what_is_written_is_shown_only_if_the_block_fails(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with stderr_aside():
        os.write(2, b"chatter\n")
    os.write(2, b"after\n")
    assert capfd.readouterr().err == "after\n"

    @stderr_aside()
    def fail() -> None:
        os.write(2, b"the cause\n")
        raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        fail()
    assert capfd.readouterr().err == "the cause\n"
    monkeypatch.setenv("TEXTAPPS_DEBUG", "1")
    with stderr_aside():
        os.write(2, b"chatter\n")
    assert capfd.readouterr().err == "chatter\n"
