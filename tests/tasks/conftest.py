"""What tests of wrong input say of it."""

from collections.abc import Callable

import pytest
from click.testing import Result


@pytest.fixture
def assert_fails() -> Callable[..., None]:
    """`assert_fails(result, 3, "no such file")`: one line of error, nothing where answers go."""

    def check(result: Result, code: int, *parts: str) -> None:
        assert (result.exit_code, result.stdout) == (code, ""), result.stderr
        lines = result.stderr.splitlines()
        errors = [line for line in lines if line.startswith("error: ")]
        assert errors == lines[-1:], result.stderr
        assert "internal error" not in errors[0]
        assert "Traceback" not in result.stderr
        for part in parts:
            assert part in errors[0]

    return check
