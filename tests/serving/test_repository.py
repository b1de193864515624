"""Versions that come, go, fail and follow each other."""

import asyncio
import gc
import logging
import os
import shutil
import threading
import time
import weakref
from collections import deque
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.serving import models
from textapps.savedmodel.errors import BadInput
from textapps.savedmodel.manifest import MANIFEST, Manifest, checksums
from textapps.serving import model_version, served_model
from textapps.serving import repository as repository_module
from textapps.serving.batching import Batching
from textapps.serving.errors import DirectoryError, NotFound
from textapps.serving.repository import Repository
from textapps.serving.served_model import ServedModel

GOLDEN = Path(__file__).parent.parent / "golden" / "sentiment" / "1"


@pytest.fixture
def repository(directory):
    return Repository(directory)


@pytest.fixture
def loads(monkeypatch):
    """The directories that were loaded, as `model/version`."""
    loaded = []
    load = model_version.load_saved_model

    def note(path):
        loaded.append(f"{path.parent.name}/{path.name}")
        return load(path)

    monkeypatch.setattr(model_version, "load_saved_model", note)
    return loaded


def length(model, text="four"):
    """The answer of a version of `lengths`."""
    inputs = {"text": models.strings(text)}
    return asyncio.run(model.predict("serving_default", inputs))["length"].tolist()


def states(repository, name):
    return [(status.version, status.state) for status in repository.statuses(name)]


def poll_until(repository, name, wanted):
    """Poll until the versions are in those states: the thread of a call ends a little after it."""
    until = time.monotonic() + 60
    repository.poll()
    while states(repository, name) != wanted and time.monotonic() < until:
        time.sleep(0.01)
        repository.poll()
    assert states(repository, name) == wanted


def damage(path):
    """Cut a version's file short."""
    (path / "saved_model.pb").write_bytes((path / "saved_model.pb").read_bytes()[:100])


def test_the_newest_version_is_served(repository, place, loads) -> None:
    place("m", 9, "lengths", 9)
    place("m", 10, "lengths", 10)
    place("other", 0, "sums")
    assert repository.poll()
    assert sorted(loads) == ["m/10", "other/0"]  # two at once
    assert repository.names() == ["m", "other"]
    assert length(repository.find("m")) == [14]
    assert repository.find("m") is repository.find("m", 10)
    assert repository.statuses("m") == [(10, "AVAILABLE", "OK", "")]
    assert [(m.name, m.version) for m in repository.loaded()] == [("m", 10), ("other", 0)]
    assert not repository.poll()
    assert len(loads) == 2


def test_what_is_not_there_is_not_found(repository, place) -> None:
    place("m", 1, "lengths")
    repository.poll()
    with pytest.raises(NotFound, match="there is no model 'x'"):
        repository.find("x")
    with pytest.raises(NotFound, match=r"there is no model '\.\./m'"):
        repository.statuses("../m")
    with pytest.raises(NotFound, match="model 'm' has no loaded version 2"):
        repository.find("m", 2)


def test_only_finished_versions_of_visible_models_count(repository, place, directory, built):
    place("m", 1, "lengths")
    for name in ("2", "0x3", "-4", "٣", "1.5", str(2**63), "latest"):
        models.copy(built("lengths", 5), directory / "m" / name)
    (directory / "m" / "2" / "saved_model.pb").unlink()  # as of a copy under way
    place(".hidden", 1, "lengths")
    (directory / "empty").mkdir()
    (directory / "file").write_text("")
    repository.poll()
    assert repository.names() == ["m"]
    assert states(repository, "m") == [(1, "AVAILABLE")]


def test_a_new_version_takes_over_and_the_old_one_finishes(repository, place) -> None:
    place("m", 1, "lengths", 1)
    repository.poll()
    old = repository.find("m")
    place("m", 2, "lengths", 2)
    repository.poll()
    assert length(repository.find("m")) == [6]
    assert states(repository, "m") == [(2, "AVAILABLE"), (1, "UNLOADING")]
    with pytest.raises(NotFound):
        repository.find("m", 1)
    repository.poll()
    assert length(old) == [5]  # whoever has it may go on asking it
    assert states(repository, "m") == [(2, "AVAILABLE"), (1, "UNLOADING")]
    del old
    poll_until(repository, "m", [(2, "AVAILABLE"), (1, "END")])


def test_the_old_version_serves_while_the_new_one_loads(repository, place, monkeypatch) -> None:
    place("m", 1, "lengths", 1)
    repository.poll()
    place("m", 2, "lengths", 2)
    warming, warm = threading.Event(), threading.Event()

    def warm_up(signatures, path):
        warming.set()
        assert warm.wait(60)

    monkeypatch.setattr(model_version, "warm_up", warm_up)
    poll = threading.Thread(target=repository.poll)
    poll.start()
    assert warming.wait(60)
    assert states(repository, "m") == [(2, "LOADING"), (1, "AVAILABLE")]
    assert length(repository.find("m")) == [5]
    warm.set()
    poll.join()
    assert length(repository.find("m")) == [6]


def test_an_unloaded_version_frees_what_it_held(repository, place) -> None:
    place("m", 1, "lengths")
    repository.poll()
    assert length(repository.find("m")) == [4]
    with pytest.raises(BadInput):
        length(repository.find("m"), "bad")  # a failure must not hold it either
    graph = weakref.ref(repository.find("m")._saved.signatures["serving_default"].graph)
    place("m", 2, "lengths", 2)
    poll_until(repository, "m", [(2, "AVAILABLE"), (1, "END")])
    assert graph() is None


def test_a_version_that_fails_leaves_the_old_one_and_is_tried_when_it_changes(
    repository, place, built, loads, caplog
) -> None:
    place("m", 1, "lengths", 1)
    repository.poll()
    broken = place("m", 2, "lengths", 2)
    damage(broken)
    repository.poll()
    repository.poll()
    assert loads == ["m/1", "m/2"]
    newest, old = repository.statuses("m")
    assert newest[:3] == (2, "END", "UNKNOWN")
    assert "saved_model.pb" in newest.message
    assert "\n" not in newest.message
    assert old == (1, "AVAILABLE", "OK", "")
    assert length(repository.find("m")) == [5]
    (record,) = caplog.records
    assert record.message.startswith("model 'm' version 2: Cannot parse file")
    assert str(broken) in record.message
    assert str(broken.parent.parent) not in newest.message  # which clients can read
    shutil.copy(built("lengths", 2) / "saved_model.pb", broken)
    repository.poll()
    assert length(repository.find("m")) == [6]
    assert states(repository, "m")[0] == (2, "AVAILABLE")


def test_missing_variables_are_told_with_tensorflows_code(repository, place) -> None:
    path = place("m", 1, "lengths")
    shutil.rmtree(path / "variables")
    repository.poll()
    assert repository.statuses("m")[0][:3] == (1, "END", "NOT_FOUND")
    with pytest.raises(NotFound, match="model 'm' is not loaded"):
        repository.find("m")


def test_where_the_newest_fails_from_the_start_the_one_before_is_served(repository, place) -> None:
    place("m", 1, "lengths", 1)
    damage(place("m", 2, "lengths", 2))
    repository.poll()
    assert length(repository.find("m")) == [5]
    assert states(repository, "m") == [(2, "END"), (1, "AVAILABLE")]


def test_removed_versions_and_models_unload(repository, place, directory) -> None:
    place("m", 1, "lengths", 1)
    place("m", 2, "lengths", 2)
    place("n", 1, "lengths")
    repository.poll()
    shutil.rmtree(directory / "m" / "2")
    shutil.rmtree(directory / "n")
    held = weakref.ref(repository.find("n"))
    repository.poll()
    assert length(repository.find("m")) == [5]  # back to the one that is left
    assert states(repository, "m") == [(1, "AVAILABLE")]
    assert repository.names() == ["m"]
    assert held() is None
    place("n", 1, "lengths", 7)
    repository.poll()
    assert length(repository.find("n")) == [11]


def test_a_removed_model_frees_what_it_held_once_nobody_asks(repository, place, directory) -> None:
    path = place("m", 1, "lengths")
    repository.poll()
    held = repository.find("m")
    graph = weakref.ref(held._saved.signatures["serving_default"].graph)
    shutil.rmtree(path)
    assert not repository.poll()
    with pytest.raises(NotFound):
        repository.statuses("m")
    assert length(held) == [4]
    del held
    assert repository.poll()
    wait_until(lambda: gc.collect() >= 0 and graph() is None)  # a thread may end its call yet
    assert not repository.poll()


def test_a_removed_version_that_comes_back_is_loaded_anew(repository, place, directory) -> None:
    place("m", 1, "lengths", 1)
    repository.poll()
    old = repository.find("m")
    place("m", 2, "lengths", 2)
    repository.poll()
    shutil.rmtree(directory / "m" / "2")
    repository.poll()
    assert repository.find("m") is not old
    del old
    repository.poll()
    assert states(repository, "m") == [(1, "AVAILABLE")]
    assert length(repository.find("m")) == [5]


@pytest.mark.parametrize("ready_when", ["any", "all"])
def test_ready_once_all_is_loaded_that_has_to_be(directory, place, ready_when) -> None:
    repository = Repository(directory, ready_when=ready_when)
    repository.poll()
    assert not repository.ready  # waits for a first model
    good = place("good", 1, "lengths")
    bad = place("bad", 1, "lengths")
    damage(bad)
    repository.poll()
    assert repository.states() == {"bad": "failed", "good": "ready"}
    assert repository.ready == (ready_when == "any")
    shutil.rmtree(bad)
    repository.poll()
    assert repository.ready
    damage(place("late", 1, "lengths"))
    repository.poll()
    assert repository.ready  # a model that comes later does not take the server away
    shutil.rmtree(good)
    repository.poll()
    assert not repository.ready  # nothing to ask
    place("good", 1, "lengths")
    repository.poll()
    assert repository.ready


def test_not_ready_while_models_are_loading(directory, place, monkeypatch) -> None:
    monkeypatch.setattr(repository_module, "_LOADS_AT_ONCE", 1)
    place("a", 1, "lengths")
    place("b", 1, "lengths")
    repository = Repository(directory)
    seen = []

    def warm_up(signatures, path):
        seen.append((repository.states(), repository.ready))

    monkeypatch.setattr(model_version, "warm_up", warm_up)
    repository.poll()
    assert seen == [
        ({"a": "loading", "b": "loading"}, False),
        ({"a": "ready", "b": "loading"}, False),
    ]
    assert repository.ready


def test_several_models_load_at_once_at_the_start_only(directory, place, monkeypatch) -> None:
    for name in ("a", "b"):
        place(name, 1, "lengths")
    together = threading.Barrier(2)

    def meet(signatures, path):
        together.wait(60)

    monkeypatch.setattr(model_version, "warm_up", meet)
    repository = Repository(directory)
    repository.poll()
    assert repository.ready
    for name in ("c", "d"):
        place(name, 1, "lengths")
    threads = set()
    monkeypatch.setattr(model_version, "warm_up", lambda *_: threads.add(threading.get_ident()))
    repository.poll()
    assert threads == {threading.get_ident()}


def test_a_load_that_failed_is_tried_again_ever_more_seldom(tmp_path, caplog) -> None:
    now, attempts = 0.0, []

    def load(name, version, directory):
        attempts.append(now)
        if len(attempts) < 10:
            raise OSError("no memory")
        return SimpleNamespace()

    model = ServedModel("m", 1, load, clock=lambda: now)
    while not model.loaded:
        model.update({1: tmp_path})
        now += 0.5
    pauses = [after - before for before, after in pairwise(attempts)]
    assert pauses == [1, 2, 4, 8, 16, 32, 60, 60, 60]
    assert [r.message for r in caplog.records] == ["model 'm' version 1: no memory"]  # once


@pytest.mark.parametrize("change", ["touch", "permissions"])
def test_a_load_that_failed_is_tried_again_when_a_file_changes(
    repository, place, loads, change
) -> None:
    path = place("m", 1, "lengths")
    damage(path)
    repository.poll()
    repository.poll()
    assert len(loads) == 1
    if change == "touch":
        os.utime(path / "variables" / "variables.index")
    else:
        (path / "variables").chmod(0o750)
    repository.poll()
    assert len(loads) == 2


def test_files_that_change_while_they_are_loaded_are_loaded_again(
    repository, place, loads, built, monkeypatch
) -> None:
    path = place("m", 1, "lengths", 1)
    copied = []

    def copy(signatures, directory):
        if not copied:
            copied.append(shutil.copy(built("lengths", 2) / "saved_model.pb", path))

    monkeypatch.setattr(model_version, "warm_up", copy)
    repository.poll()
    assert repository.statuses("m")[0].message == "its files have changed while it was loaded"
    repository.poll()
    assert length(repository.find("m")) == [6]
    assert loads == ["m/1", "m/1"]


def test_a_model_that_cannot_be_read_leaves_the_others_alone(
    repository, place, directory, caplog
) -> None:
    place("m", 1, "lengths", 1)
    repository.poll()
    (directory / "self").symlink_to("self")
    (directory / "n").mkdir()
    (directory / "n" / "3").symlink_to("3")
    place("m", 2, "lengths", 2)
    repository.poll()
    repository.poll()
    assert length(repository.find("m")) == [6]
    assert repository.ready
    warnings = [r.message for r in caplog.records if r.levelno == logging.WARNING]
    assert warnings == [f"cannot read {directory / 'self'} (Too many levels of symbolic links)"]


def test_a_model_that_can_be_read_no_more_stays(repository, place, directory, monkeypatch) -> None:
    place("m", 1, "lengths", 1)
    place("n", 1, "lengths", 7)
    repository.poll()
    iterdir = Path.iterdir

    def fail(path):
        if path.name == "m":
            raise PermissionError(13, "Permission denied", str(path))
        return iterdir(path)

    monkeypatch.setattr(Path, "iterdir", fail)
    place("n", 2, "lengths", 8)
    repository.poll()
    assert length(repository.find("m")) == [5]
    assert length(repository.find("n")) == [12]


def test_a_version_that_may_not_be_read_shows_in_the_status(
    repository, place, directory, monkeypatch
) -> None:
    place("m", 1, "lengths", 1)
    secret = place("m", 2, "lengths", 2)
    is_file, exists = Path.is_file, Path.exists

    def refuse(function):
        def checked(path, **more):
            if secret in path.parents:
                raise PermissionError(13, "Permission denied", str(path))
            return function(path, **more)

        return checked

    monkeypatch.setattr(Path, "is_file", refuse(is_file))
    monkeypatch.setattr(Path, "exists", refuse(exists))
    repository.poll()
    assert states(repository, "m") == [(2, "END"), (1, "AVAILABLE")]
    assert "Permission denied" in repository.statuses("m")[0].message
    assert length(repository.find("m")) == [5]


@pytest.mark.parametrize("changed", ["saved_model.pb", "manifest"])
def test_a_version_that_is_not_as_it_was_exported_is_not_served(
    place, directory, changed, caplog
) -> None:
    for version in (1, 2):
        path = place("m", version, "classifier")
        Manifest(
            task="sentiment",
            name="m",
            backbone="gru",
            preset="tiny",
            labels=["bad", "good"],
            signatures={"serving_default": {"inputs": {}, "outputs": {}}},
            sha256=checksums(path),
        ).write(path)
    # labels swapped
    name = changed if changed == "saved_model.pb" else MANIFEST
    content = (path / name).read_bytes()
    swapped = content.replace(b"bad", b"gad").replace(b"good", b"bood")
    assert swapped != content
    (path / name).write_bytes(swapped)
    repository = Repository(directory)
    repository.poll()
    assert states(repository, "m") == [(2, "END"), (1, "AVAILABLE")]
    assert f"{name} has changed since it was exported" in caplog.text
    assert "--no-verify-files" in caplog.text
    assert str(directory) not in repository.statuses("m")[0].message
    trusting = Repository(directory, verify_files=False)
    trusting.poll()
    assert trusting.find("m").version == 2


def test_an_export_with_checksums_is_served(repository, directory) -> None:
    models.copy(GOLDEN, directory / "sentiment" / "1")
    repository.poll()
    answer = repository.find("sentiment").predict("serving_default", {"text": models.strings("A")})
    assert asyncio.run(answer)["label"].shape == (1,)


def test_a_directory_that_vanishes_leaves_its_models(repository, place, directory) -> None:
    place("m", 1, "lengths")
    repository.poll()
    directory.rename(directory.with_name("away"))
    with pytest.raises(FileNotFoundError):
        repository.poll()
    assert length(repository.find("m")) == [4]


def test_what_cannot_be_served_is_said_with_the_remedy(directory, place) -> None:
    with pytest.raises(DirectoryError, match=r"no directory .*nowhere.*textapps <task> export"):
        Repository(directory / "nowhere").start()
    version = place("m", 1, "lengths")
    with pytest.raises(DirectoryError, match=f"is a single model: serve {directory} instead"):
        Repository(version.parent).start()
    with pytest.raises(DirectoryError, match=f"single version of a model: serve {directory} "):
        Repository(version).start()


def wait_until(condition) -> None:
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


@pytest.fixture
def exposed(monkeypatch) -> None:
    """The thread collects no garbage, which takes seconds among all that tests have made."""
    monkeypatch.setattr(repository_module, "_hide_from_collector", lambda: None)


@pytest.mark.usefixtures("exposed")
def test_the_thread_waits_for_models_and_finds_them(directory, place, caplog) -> None:
    repository = Repository(directory, poll_seconds=0.01)
    with caplog.at_level(logging.INFO, "textapps"):
        repository.start()
        wait_until(lambda: caplog.records)
        place("m", 1, "lengths")
        wait_until(lambda: repository.ready)
        directory.rename(directory.with_name("away"))
        wait_until(lambda: len(caplog.records) == 3)
        directory.with_name("away").rename(directory)
        place("m", 2, "lengths", 2)
        wait_until(lambda: repository.find("m").version == 2)
        repository.stop()
    assert length(repository.find("m")) == [6]
    said = [record.message for record in caplog.records]
    assert said[0] == f"no <model>/<version>/saved_model.pb in {directory} yet: waiting"
    assert said[1].startswith("model 'm' version 1 is served after")
    assert said[2].startswith(f"cannot read {directory} (")
    assert said[3].startswith("model 'm' version 2 is served after")


@pytest.mark.usefixtures("exposed")
def test_an_error_in_a_look_does_not_end_the_thread(directory, place, monkeypatch, caplog) -> None:
    place("m", 1, "lengths")
    repository = Repository(directory, poll_seconds=0.01)
    stamp = served_model._stamp
    monkeypatch.setattr(served_model, "_stamp", lambda path: 1 / 0)
    repository.start()
    wait_until(lambda: caplog.records)
    monkeypatch.setattr(served_model, "_stamp", stamp)
    wait_until(lambda: repository.ready)
    repository.stop()
    assert [r.message for r in caplog.records] == ["looking for versions of model 'm' failed"]


@pytest.mark.slow
def test_the_collector_passes_by_what_is_loaded_but_finds_what_is_not_used(
    directory, place
) -> None:
    repository = Repository(directory, poll_seconds=0.01)
    place("m", 1, "lengths")
    gc.unfreeze()
    try:
        repository.start()
        wait_until(gc.get_freeze_count)
        wait_until(lambda: repository.ready)
        graph = weakref.ref(repository.find("m")._saved.signatures["serving_default"].graph)
        place("m", 2, "lengths", 2)
        wait_until(lambda: graph() is None)
        repository.stop()
        assert gc.get_freeze_count() > 0
    finally:
        repository.stop()
        gc.freeze()


def test_garbage_of_requests_is_collected_however_much_is_loaded() -> None:
    loaded = [[] for _ in range(1_200_000)]
    in_progress = deque(maxlen=20_000)
    threshold = gc.get_threshold()
    gc.set_threshold(700, 10, 10)  # Python's own
    try:
        repository_module._hide_from_collector()
        before = gc.get_stats()[2]["collections"]
        for _ in range(200_000):
            request = []
            request.append(request)
            in_progress.append(request)
        assert gc.get_stats()[2]["collections"] > before
    finally:
        gc.set_threshold(*threshold)
        del loaded
        gc.freeze()


def test_stopping_loads_no_more(directory, place, loads) -> None:
    place("m", 1, "lengths")
    repository = Repository(directory)
    repository.stop()
    repository.poll()
    assert loads == []


def test_calls_are_told_with_model_version_and_signature(directory, place) -> None:
    told = []
    repository = Repository(directory, on_batch=lambda *call: told.append(call))
    place("m", 3, "lengths")
    repository.poll()
    model = repository.find("m")
    asyncio.run(model.predict("serving_default", {"text": models.strings("a", "b")}))
    assert told == [("m", 3, "serving_default", 2)]
    assert model.waiting == 0


def test_the_manifest_is_read_if_it_can_be(directory, place, caplog) -> None:
    place("good", 1, "classifier")
    place("none", 1, "lengths")
    (place("bad", 1, "classifier") / MANIFEST).write_text("{")
    (place("list", 1, "classifier") / MANIFEST).write_text("[]")
    repository = Repository(directory)
    repository.poll()
    assert repository.find("good").manifest["labels"] == ["bad", "good"]
    assert repository.find("none").manifest == {}
    assert repository.states() == {
        "bad": "failed",
        "good": "ready",
        "list": "failed",
        "none": "ready",
    }
    repository = Repository(directory, verify_files=False)
    repository.poll()
    assert [repository.find(name).manifest for name in ("bad", "list")] == [{}, {}]
    assert "is served without its assets.extra/textapps.json" in caplog.text


@pytest.mark.parametrize(
    ("batching", "shared"),
    [
        (Batching(), {"ours"}),
        (Batching(models=frozenset(["foreign"])), {"ours", "foreign"}),
        (Batching(all_models=True), {"ours", "foreign", "not"}),
        (Batching(all_models=True, enabled=False), set()),
    ],
)
def test_which_models_share_calls(directory, place, batching, shared) -> None:
    place("ours", 1, "classifier")
    place("foreign", 1, "lengths")
    models.manifest(place("not", 1, "lengths"), task="speech", rows_independent=False)
    calls = []
    repository = Repository(directory, batching, on_batch=lambda *call: calls.append(call))
    repository.poll()

    async def ask_twice(model):
        inputs = {"text": models.strings("a")}
        await asyncio.gather(*(model.predict("serving_default", inputs) for _ in range(2)))

    for name in ("ours", "foreign", "not"):
        asyncio.run(ask_twice(repository.find(name)))
    assert {name for name, *_, rows in calls if rows == 2} == shared
    assert sum(rows for *_, rows in calls) == 6


def test_versions_that_are_polled_often_stay_what_they_are(repository, place) -> None:
    place("m", 1, "lengths")
    repository.poll()
    model = repository.find("m")
    os.utime(model.directory / "saved_model.pb")
    repository.poll()
    assert repository.find("m") is model
    gc.collect()
    assert length(model) == [4]
