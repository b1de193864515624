"""Keeping quiet what libraries in C++ write to stderr, whatever Python's streams are."""

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def stderr_aside() -> Iterator[None]:
    """Redirects file descriptor 2 to a file, which is shown only if the block fails.

    With the environment variable TEXTAPPS_DEBUG everything is shown.
    """
    if os.environ.get("TEXTAPPS_DEBUG"):
        yield
        return
    sys.stderr.flush()
    with tempfile.TemporaryFile() as aside:
        kept = os.dup(2)
        os.dup2(aside.fileno(), 2)
        try:
            yield
        except BaseException:
            os.dup2(kept, 2)
            aside.seek(0)
            os.write(2, aside.read())
            raise
        finally:
            os.dup2(kept, 2)
            os.close(kept)
