"""A search in a real PostgreSQL, which is skipped where there is none."""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.search.test_study import begin, facts, space, start
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
        try:
            while not _answers(sockets):
                assert process.poll() is None
                time.sleep(0.1)
            yield f"postgresql://me@/postgres?host={sockets}"
        finally:
            process.send_signal(signal.SIGINT)  # does not wait for connections


def _answers(sockets: Path) -> bool:
    import psycopg

    try:
        psycopg.connect(host=str(sockets), user="me", dbname="postgres").close()
    except psycopg.OperationalError:
        return False
    return True


@pytest.mark.slow
def test_processes_share_a_search_in_postgresql(postgresql: str) -> None:
    study = begin(postgresql)
    with start(postgresql, 4) as one, start(postgresql, 3) as other:
        assert one.stdout
        assert other.stdout
        held = {int(one.stdout.readline()), int(other.stdout.readline())}
        one.kill()
        one.wait()
        (taken,) = study.abandoned()
        assert taken.id in held
        other.kill()
        other.wait()
    study.stop(taken.id, {0: 0.6}, facts(0.6), ended=True)
    trials = study.trials()
    assert len(trials) == 9
    assert sum(trial.facts is not None for trial in trials) == 8
    assert trials[0].point == space().points[0]
    with pytest.raises(RunError, match=r"search 's' in postgresql.* is of another task"):
        begin(postgresql, task="speech")
    with pytest.raises(RunError, match=r"cannot use the study in postgresql.*: check --storage"):
        begin(postgresql.replace("host=", "host=/none"))
