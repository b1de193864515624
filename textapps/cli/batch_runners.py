"""The runners of batch inference, as `predict --output` offers them."""

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import cache, partial
from typing import TYPE_CHECKING, Any

from textapps.cli import console
from textapps.core.errors import TextappsError

if TYPE_CHECKING:
    from textapps.batch.local import Tell

# Finds the files that patterns match, and answers files in a job.
Runner = tuple[Callable[[Sequence[str]], list[Any]], Callable[..., None]]


@contextmanager
def _local(options: Sequence[str], master: str | None) -> Iterator[Runner]:
    from textapps.batch.inputs import find_files
    from textapps.batch.local import run_local

    yield find_files, partial(run_local, tell=_teller())


@contextmanager
def _beam(options: Sequence[str], master: str | None) -> Iterator[Runner]:
    with _needs("beam", "apache_beam", "Apache Beam"):
        from textapps.batch.beam import run_beam
    from textapps.batch.inputs import find_files

    yield find_files, partial(run_beam, options=options)


@contextmanager
def _spark(options: Sequence[str], master: str | None) -> Iterator[Runner]:
    """Spark is started when it is needed first, for files that only it can find or for work."""
    with _needs("spark", "pyspark", "pyspark"):
        from textapps.batch.spark import run_spark
    from textapps.batch.inputs import find_files
    from textapps.batch.remote import find_remote, is_remote
    from textapps.batch.spark_session import check_java, check_pandas, spark_session

    check_java()
    check_pandas()
    with ExitStack() as stack:

        @cache
        def session() -> Any:
            started = spark_session(master, options, verbose=console.debugging())
            return stack.enter_context(started)

        def find(patterns: Sequence[str]) -> list[Any]:
            files: list[Any] = list(find_files(one for one in patterns if not is_remote(one)))
            if remote := [one for one in patterns if is_remote(one)]:
                files += find_remote(session(), remote)
            return files

        def work(job: Any, files: Sequence[Any]) -> None:
            run_spark(job, files, _teller(), session())

        yield find, work


RUNNERS = {"local": _local, "beam": _beam, "spark": _spark}
"""By name: from the options after '--' and the URL of a cluster to what the runner does."""


@contextmanager
def _needs(extra: str, package: str, called: str) -> Iterator[None]:
    """TextappsError where the package of an extra, which is imported within, is missing."""
    root = logging.getLogger()
    level = root.level
    if not console.debugging():
        root.setLevel(logging.CRITICAL)  # Beam and Spark log what they raise, at length
    try:
        yield
    except ModuleNotFoundError as error:
        root.setLevel(level)
        if (error.name or "").partition(".")[0] != package:
            raise
        raise TextappsError(
            f"--runner {extra} needs {called}, which is not installed: pip install "
            f"'textapps[{extra}]'"
        ) from None


def _teller() -> "Tell":
    """Says on stderr, every few seconds, how many rows are answered."""
    started = shown = time.monotonic()
    rows = 0

    def tell(more: int) -> None:
        nonlocal rows, shown
        rows += more
        now = time.monotonic()
        if rows and now - shown >= console.SECONDS_BETWEEN_LINES:
            shown = now
            console.say(f"{rows:,} rows, {rows / (now - started):,.0f} rows/s")

    return tell
