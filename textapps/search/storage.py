"""The database of a study, and its errors in one line."""

import contextlib
import fcntl
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from optuna.exceptions import StorageInternalError
from optuna.storages import RDBStorage
from sqlalchemy.engine import make_url
from sqlalchemy.exc import (
    ArgumentError,
    IntegrityError,
    OperationalError,
    ProgrammingError,
    SQLAlchemyError,
)
from sqlalchemy.pool import NullPool

from textapps.core.errors import ConfigurationError, RunError

LOCK_SECONDS = 20  # that a process waits for another one to be done with an SQLite file
ATTEMPTS = 50  # to open a database while another process makes its tables
NO_ADDRESS = (  # which is not told, because it may have a password
    "--storage is not the address of a database, such as postgresql://USER@HOST/DATABASE, or the "
    "path of a file; write '@', ':' and '/' in a password as %40, %3A and %2F"
)
DRIVERS = {"postgresql": "postgresql+psycopg", "postgres": "postgresql+psycopg"}


def url_of(storage: str) -> str:
    """The address of a database as SQLAlchemy takes it; a path is one of an SQLite file.

    >>> url_of("a/b.db"), url_of("postgresql://me@host/x")
    ('sqlite:///a/b.db', 'postgresql+psycopg://me@host/x')
    """
    scheme, separator, rest = storage.partition("://")
    if not separator:
        return f"sqlite:///{storage}"
    url = f"{DRIVERS.get(scheme, scheme)}://{rest}"
    try:
        make_url(url)
    except ValueError:  # a port that is no number
        raise ConfigurationError(NO_ADDRESS) from None
    return url


def opened(storage: str) -> RDBStorage:
    """The storage of this address; errors as in `explained`."""
    url = url_of(storage)
    # Minutes lie between two uses of a connection, so none is kept open.
    arguments: dict[str, Any] = {"poolclass": NullPool}
    if url.startswith("sqlite:"):
        arguments["connect_args"] = {"timeout": LOCK_SECONDS}
    for _ in range(ATTEMPTS):
        try:
            return RDBStorage(url, engine_kwargs=arguments)
        except (IntegrityError, OperationalError, ProgrammingError) as error:
            if not isinstance(error, IntegrityError) and "already exists" not in str(error):
                raise
            time.sleep(0.1)  # another process makes the tables of a new database
    return RDBStorage(url, engine_kwargs=arguments)


@contextlib.contextmanager
def in_turn(storage: str) -> Iterator[None]:
    """Within it no other process of this machine is within it, if the storage is an SQLite file.

    SQLite has no locks of rows: two could read that a trial waits before either of them takes it.

    Raises:
        RunError: another process does not leave it, or its lock file cannot be opened.
    """
    url = make_url(url_of(storage))
    database = (url.database or "").removeprefix("file:")
    if url.get_backend_name() != "sqlite" or database in ("", ":memory:"):
        yield
        return
    path = f"{Path(database).resolve()}.lock"
    try:
        lock = os.open(path, os.O_RDONLY | os.O_CREAT, 0o666)
    except OSError as error:
        raise RunError(f"cannot open {path}: {error.strerror}") from error
    try:
        _wait_for(lock, path)
        yield
    finally:
        os.close(lock)


def _wait_for(lock: int, path: str) -> None:
    end = time.monotonic() + LOCK_SECONDS
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if time.monotonic() > end:
                raise RunError(
                    f"another process holds {path}: wait for it, or name another file by --storage"
                ) from None
            time.sleep(0.02)


def shown(storage: str) -> str:
    """A storage in messages: the file of SQLite, or the address without its password.

    >>> shown("postgresql://me:secret@host/x"), shown("sqlite:///a.db")
    ('postgresql+psycopg://me:***@host/x', 'a.db')
    """
    url = make_url(url_of(storage))
    return str(url.database) if url.drivername == "sqlite" else url.render_as_string()


@contextlib.contextmanager
def explained(storage: str) -> Iterator[None]:
    """Turns what goes wrong with the database into one line.

    Raises:
        ConfigurationError: the address is none, or its driver is not installed.
        RunError: the database cannot be reached, is locked, is on a full disk, or is no database of
            Optuna.
    """
    try:
        yield
    except ArgumentError:
        raise ConfigurationError(NO_ADDRESS) from None
    except ImportError as error:  # Optuna wraps the one that names the module
        cause = error.__cause__ if isinstance(error.__cause__, ImportError) else error
        raise ConfigurationError(
            f"--storage {shown(storage)} needs {cause.name or 'a driver'}: install it; the one of "
            "PostgreSQL comes with pip install 'textapps[search]'"
        ) from None
    except (StorageInternalError, SQLAlchemyError, RuntimeError) as error:
        root: BaseException = error
        while root.__cause__ is not None:
            root = root.__cause__
        text = " ".join(str(getattr(root, "orig", None) or root).split())
        remedy = "check --storage"
        if "locked" in text:
            remedy = "another process holds it; wait for it, or name another file by --storage"
        elif "is full" in text or "No space left" in text:
            remedy = "free some space, or name a place on another disk by --storage or --models-dir"
        elif any(part in text for part in ("not a database", "no such", "schema", "no column")):
            remedy = "it is not a study of `search`; name another one by --storage"
        raise RunError(f"cannot use the study in {shown(storage)}: {text}: {remedy}") from error
