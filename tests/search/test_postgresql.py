"""A search in a real PostgreSQL, which is skipped where there is none."""

import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.search.searching import searched, settings
from textapps.core.errors import RunError


@pytest.fixture
def postgresql(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a database on a socket in a folder."""
    pytest.importorskip("psycopg", reason="needs psycopg: pip install 'textapps[search]'")
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    where = shutil.which("initdb") or (str(found[-1]) if found else None)
    if where is None:
        pytest.skip("needs PostgreSQL: apt-get install postgresql")
    programs = Path(where).parent
    folder = tmp_path_factory.mktemp("postgresql")
    root = os.geteuid() == 0
    if root:
        folder.chmod(0o777)
        for parent in folder.parents:
            if parent == Path(folder.anchor) or parent.stat().st_mode & 0o001:
                continue
            parent.chmod(parent.stat().st_mode | 0o001)
    as_user = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"] if root else []
    data, sockets = folder / "data", folder
    initdb = [*as_user, str(programs / "initdb"), "-D", str(data), "-U", "me", "-A", "trust"]
    subprocess.run(initdb, check=True, capture_output=True)
    server = [str(programs / "postgres"), "-D", str(data), "-k", str(sockets), "-h", "", "-F"]
    with subprocess.Popen([*as_user, *server], stderr=subprocess.DEVNULL) as process:
        for _ in range(100):
            if list(sockets.glob(".s.PGSQL.*")):
                break
            process.poll()
            time.sleep(0.1)
        yield f"postgresql://me@/postgres?host={sockets}"
        process.terminate()


def test_processes_share_a_search_in_postgresql(
    postgresql: str, toy_data: Callable[[str], Path], tmp_path: Path
) -> None:
    of = settings("sentiment", toy_data("sentiment"))
    _, found = searched("sentiment", tmp_path / "one", of, storage=postgresql, study="shared")
    assert len(found.tried) == 3
    more = replace(of, trials=5)
    run, again = searched("sentiment", tmp_path / "two", more, storage=postgresql, study="shared")
    assert len(again.tried) == 5
    assert [row.best for row in again.tried[:3]] == [row.best for row in found.tried]
    assert run.finished
    other = settings("generate", toy_data("generate"))
    with pytest.raises(RunError, match=r"search 'shared' in postgresql.* is of another task"):
        searched("generate", tmp_path / "three", other, storage=postgresql, study="shared")
