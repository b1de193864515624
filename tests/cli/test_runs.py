"""Tests of `textapps runs`."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from click.testing import Result
from pydantic import Field

from textapps.core.config import Section
from textapps.core.records import dump_record
from textapps.training.checkpoint import CheckpointStore, TrainingState
from textapps.training.derivation import DERIVED
from textapps.training.run_directory import RunDirectory

Cli = Callable[..., Result]


class Backbone(Section):
    kind: str


class Start(Section):
    init_from: str | None = None


class Config(Section):
    task: str = "sentiment"
    preset: str = "tiny"
    backbone: Backbone
    start: Start = Start()
    training: dict[str, str] = Field(default_factory=dict)


def make_run(
    models: Path, name: str, state: TrainingState | None, start: str | None = None, **training: str
) -> RunDirectory:
    kind = name.rpartition("-")[2]
    config = Config(backbone=Backbone(kind=kind), start=Start(init_from=start), training=training)
    run = RunDirectory.create(models, "sentiment", kind, config)
    run.path.rename(run.path.with_name(name))
    run = RunDirectory.open(run.path.with_name(name), trained=False)
    if state is not None:
        CheckpointStore(run.checkpoints).save(state, {"0": np.zeros(3)}, [])
    return run


@pytest.fixture
def models(tmp_path: Path) -> Path:
    """Three runs: finished and evaluated, stopped half-way, without a checkpoint.

    The first is of an earlier version, which named no metric to monitor.
    """
    models = tmp_path / "models"
    done = TrainingState(12, 6, 3.0, 0.9375, 0.2, 12, 0, "epochs")
    run = make_run(models, "20260101-000001-gru", done)
    metrics = {"accuracy": 0.87654321, "macro_f1": 0.85, "log_loss": 0.31, "parameters": 7}
    run.write_json("metrics.json", {"task": "sentiment", "metrics": metrics})
    stopped = TrainingState(3, 6, 1.0, None, None, None, 0, None)
    make_run(models, "20260101-000002-lstm", stopped, monitor="loss")
    make_run(models, "20260101-000003-transformer", None, monitor="macro_f1")
    return models


def test_table(cli: Cli, models: Path) -> None:
    result = cli("runs", "--models-dir", str(models))
    assert [" ".join(line.split()) for line in result.stdout.splitlines()] == [
        "task run backbone preset state monitor epochs score accuracy macro_f1",
        "sentiment 20260101-000001-gru gru tiny finished accuracy 2 0.9375 0.8765 0.85",
        "sentiment 20260101-000002-lstm lstm tiny stopped loss 0.5",
        "sentiment 20260101-000003-transformer transformer tiny incomplete macro_f1",
    ]
    assert (result.exit_code, result.stderr) == (0, "")


def test_json_lines(cli: Cli, models: Path) -> None:
    result = cli("runs", "--json", "--task", "sentiment", "--models-dir", str(models))
    rows = [json.loads(line) for line in result.stdout.splitlines()]
    assert rows[0] == {
        "task": "sentiment",
        "run": "20260101-000001-gru",
        "path": str(models / "sentiment" / "20260101-000001-gru"),
        "backbone": "gru",
        "preset": "tiny",
        "init_from": None,
        "state": "finished",
        "epochs": 2.0,
        "score": 0.9375,
        "monitor": "accuracy",
        "test": {"accuracy": 0.87654321, "macro_f1": 0.85, "log_loss": 0.31, "parameters": 7},
        "made": None,
        "note": None,
    }
    assert [row["state"] for row in rows] == ["finished", "stopped", "incomplete"]
    assert rows[2]["epochs"] is rows[2]["score"] is rows[2]["test"] is None


def test_a_name_is_no_markup(cli: Cli, models: Path) -> None:
    run = models / "sentiment" / "20260101-000001-gru"
    run.rename(run.with_name("20260101-000001-gru[v2]"))
    (run.parent / "20260101-000002-lstm").rename(run.with_name("mine [red]"))
    result = cli("runs", "--models-dir", str(models))
    assert result.exit_code == 0
    assert "20260101-000001-gru[v2] " in result.stdout
    assert "mine [red]" in result.stdout


def test_where_a_run_came_from(cli: Cli, models: Path) -> None:
    first = str(models / "sentiment" / "20260101-000001-gru")
    make_run(models, "20260101-000004-gru", TrainingState(6, 6, 1.0, 0.5, 0.2, 6), first)
    result = cli("runs", "--models-dir", str(models))
    head, *rows = (" ".join(line.split()) for line in result.stdout.splitlines())
    assert head == "task run backbone preset state monitor from epochs score accuracy macro_f1"
    assert rows[-1].endswith("gru tiny stopped accuracy 20260101-000001-gru 1 0.5")


def test_a_run_that_was_made_from_another_has_no_figures_of_training(
    cli: Cli, models: Path
) -> None:
    run = make_run(models, "20260101-000005-gru", TrainingState(6, 6, 1.0, 0.5, 0.2, 6))
    how = {"run": str(models / "20260101-000001-gru"), "told": "'lamp' added from 5 recordings"}
    run.write_text(DERIVED, dump_record(how))
    made = "made from 20260101-000001-gru without training: 'lamp' added from 5 recordings"
    rows = cli("runs", "--json", "--models-dir", str(models)).stdout.splitlines()
    row = json.loads(rows[-1])
    assert (row["score"], row["epochs"], row["made"]) == (None, None, made)
    table = cli("runs", "--models-dir", str(models)).stdout
    assert "note" in table.splitlines()[0]
    assert "made from" in table
    run.write_text(DERIVED, "{")
    row = json.loads(cli("runs", "--json", "--models-dir", str(models)).stdout.splitlines()[-1])
    assert row["made"] == "made from another run without training"


def test_models_dir_from_the_environment(
    cli: Cli, models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEXTAPPS_MODELS_DIR", str(models))
    assert cli("runs").stdout.count("sentiment") == 3


def test_no_runs(cli: Cli, tmp_path: Path) -> None:
    result = cli("runs", "--models-dir", str(tmp_path / "none"))
    assert (result.exit_code, result.stdout) == (0, "")
    assert result.stderr.startswith(f"no runs in {tmp_path / 'none'}: train one")


@pytest.mark.parametrize("content", ["{", "[]", '{"metrics"', "{}", '{"metrics": 5}'])
def test_damaged_metrics_hide_no_run(cli: Cli, models: Path, content: str) -> None:
    (models / "sentiment" / "20260101-000001-gru" / "metrics.json").write_text(content)
    result = cli("runs", "--json", "--models-dir", str(models))
    first = json.loads(result.stdout.splitlines()[0])
    assert (first["state"], first["test"]) == ("finished", None)


def test_only_finite_numbers_are_figures(cli: Cli, models: Path) -> None:
    odd = f'"high", "b": [1], "c": true, "d": NaN, "e": -Infinity, "f": {10**400}, "g": null'
    damaged = models / "sentiment" / "20260101-000002-lstm" / "metrics.json"
    damaged.write_text(f'{{"metrics": {{"accuracy": {odd}, "log_loss": 2, "macro_f1": 0.5}}}}')
    result = cli("runs", "--json", "--sort", "accuracy", "--models-dir", str(models))
    rows = [json.loads(line) for line in result.stdout.splitlines()]
    assert [row["run"][-4:] for row in rows] == ["-gru", "lstm", "rmer"]
    assert rows[1]["test"] == {"log_loss": 2, "macro_f1": 0.5}
    assert cli("runs", "--models-dir", str(models)).exit_code == 0


def test_a_score_that_is_no_number_is_none(cli: Cli, models: Path) -> None:
    make_run(models, "20260101-000004-gru", TrainingState(6, 6, 1.0, float("nan"), 0.2, 6))
    result = cli("runs", "--json", "--models-dir", str(models))
    assert json.loads(result.stdout.splitlines()[3])["score"] is None


def test_a_checkpoint_of_a_newer_format_hides_no_run(cli: Cli, models: Path) -> None:
    (state,) = (models / "sentiment" / "20260101-000001-gru").glob("checkpoints/*/state.json")
    state.write_text('{"format": 2}')
    result = cli("runs", "--json", "--models-dir", str(models))
    assert result.exit_code == 0
    assert json.loads(result.stdout.splitlines()[0])["state"] == "incomplete"


NAMES = ("20260101-000001-gru", "20260101-000002-lstm", "20260101-000003-transformer")


@pytest.mark.parametrize(
    ("column", "order"),
    [
        ("backbone", (0, 1, 2)),
        ("state", (0, 2, 1)),  # finished, incomplete, stopped
        ("epochs", (0, 1, 2)),
        ("accuracy", (1, 0, 2)),  # more is better
        ("log_loss", (0, 1, 2)),  # less is better
        ("chrf", (1, 0, 2)),  # only the second has it
    ],
)
def test_sorted_by_a_column(cli: Cli, models: Path, column: str, order: tuple[int, ...]) -> None:
    second = RunDirectory.open(models / "sentiment" / NAMES[1])
    second.write_json("metrics.json", {"metrics": {"accuracy": 0.9, "log_loss": 0.4, "chrf": 7.0}})
    result = cli("runs", "--sort", column, "--json", "--models-dir", str(models))
    found = [json.loads(line)["run"] for line in result.stdout.splitlines()]
    assert found == [NAMES[number] for number in order]
    table = cli("runs", "--sort", column, "--models-dir", str(models)).stdout
    assert column in table.splitlines()[0].split()


@pytest.mark.parametrize("column", ["false_alarms", "false_alarms_on_words", "miss_rate_low"])
def test_fewer_mistakes_come_first(cli: Cli, models: Path, column: str) -> None:
    for name, value in zip(NAMES[:2], (2.0, 1.0), strict=True):
        run = RunDirectory.open(models / "sentiment" / name)
        run.write_json("metrics.json", {"metrics": {column: value}})
    result = cli("runs", "--sort", column, "--json", "--models-dir", str(models))
    found = [json.loads(line)["run"] for line in result.stdout.splitlines()]
    assert found == [NAMES[1], NAMES[0], NAMES[2]]


def test_scores_are_sorted_by_what_they_are(cli: Cli, models: Path) -> None:
    for number, loss in ((4, 0.5), (5, 0.25)):
        state = TrainingState(6, 6, 1.0, loss, loss, 6)
        make_run(models, f"20260101-00000{number}-gru", state, monitor="loss")
    result = cli("runs", "--sort", "score", "--json", "--models-dir", str(models))
    found = [json.loads(line)["score"] for line in result.stdout.splitlines()]
    assert found.index(0.25) < found.index(0.5)
    assert found[-1] is None


def test_sorted_by_a_metric_that_no_run_has(cli: Cli, models: Path, tmp_path: Path) -> None:
    result = cli("runs", "--sort", "bleu", "--models-dir", str(models))
    head, *rows = result.stdout.splitlines()
    assert (head.split()[-1], [row.split()[1] for row in rows]) == ("bleu", list(NAMES))
    for column in ("bleu", "accuracy_5_db"):
        none = cli("runs", "--sort", column, "--models-dir", str(tmp_path / "none"))
        assert (none.exit_code, none.stdout) == (0, "")
        assert none.stderr.startswith("no runs in")


def test_sorted_by_note_and_by_where_a_run_came_from(cli: Cli, models: Path) -> None:
    for number, note in ((1, "b"), (2, "a")):
        (models / "sentiment" / NAMES[number] / "note.txt").write_text(note)
    for number, start in ((4, "/z/1-gru"), (5, "/a/2-gru")):
        make_run(models, f"20260101-00000{number}-gru", None, start)
    for column, order in (("note", "32145"), ("from", "45123")):
        for form in ((), ("--json",)):
            lines = cli("runs", "--sort", column, *form, "--models-dir", str(models)).stdout
            rows = [line for line in lines.splitlines() if "20260101-00000" in line]
            found = [row.partition("20260101-00000")[2][0] for row in rows]
            assert "".join(found) == order


def test_a_note_is_kept_replaced_and_taken_away(cli: Cli, models: Path) -> None:
    def note(text: str) -> str | None:
        result = cli("runs", "--run", NAMES[2], "--note", text, "--models-dir", str(models))
        assert (result.exit_code, result.stdout, result.stderr) == (0, "", "")
        listed = cli("runs", "--json", "--models-dir", str(models)).stdout.splitlines()
        notes = [json.loads(line)["note"] for line in listed]
        assert notes[:2] == [None, None]
        return notes[2]

    assert note("twice the units,\n[bold] größer") == "twice the units, [bold] größer"
    assert "[bold] größer" in cli("runs", "--models-dir", str(models)).stdout
    assert note("caf\udce9 \a\x1b[31mred\x9b\x7f\t 👩\u200d🔬") == "caf\ufffd [31mred 👩\u200d🔬"
    assert note("\u202egood\u2069 بد") == "good بد"
    assert note("again") == "again"
    assert note("\a") is None
    assert note("again") == "again"
    assert note(" ") is None
    assert note("") is None


@pytest.mark.parametrize(("answer", "left"), [("y", 2), ("n", 3), ("", 3)])
def test_deleting_asks(cli: Cli, models: Path, answer: str, left: int) -> None:
    arguments = ("runs", "--delete", NAMES[0], "--models-dir", str(models))
    result = cli(*arguments, input=f"{answer}\n")
    path = models / "sentiment" / NAMES[0]
    assert f"delete {path} (0.0 MB)? [y/N]" in result.stderr
    assert result.stderr.splitlines()[-1].endswith(f"{'deleted' if left == 2 else 'kept'} {path}")
    assert len(list((models / "sentiment").iterdir())) == left


def test_deleting_several_without_asking(cli: Cli, models: Path) -> None:
    paths = [str(models / "sentiment" / name) for name in NAMES[1:]]
    result = cli(
        "runs", "--delete", NAMES[1], "--delete", paths[1], "--yes", "--models-dir", str(models)
    )
    assert result.stderr.splitlines() == [f"deleted {path}" for path in paths]
    assert [path.name for path in (models / "sentiment").iterdir()] == [NAMES[0]]


def test_nobody_to_ask(cli: Cli, models: Path) -> None:
    result = cli("runs", "--delete", NAMES[0], "--models-dir", str(models), input="")
    assert result.exit_code == 2
    assert "nobody answers" in result.stderr
    assert (models / "sentiment" / NAMES[0]).is_dir()


def test_what_must_not_be_deleted(cli: Cli, models: Path) -> None:
    first, second = (models / "sentiment" / name for name in NAMES[:2])
    delete = ("runs", "--yes", "--models-dir", str(models), "--delete")
    with RunDirectory.open(first).lock():
        result = cli(*delete, NAMES[1], "--delete", NAMES[0])
    assert (result.exit_code, result.stdout) == (1, "")
    assert f"is training {first}" in result.stderr
    make_run(models, "20260101-000004-gru", None, str(second))
    result = cli(*delete, NAMES[1])
    assert result.exit_code == 1
    assert f"starts from {second} and has no checkpoint yet" in result.stderr
    (first / "pretrained.json").write_text("{}")
    for arguments in ((*delete, str(first)), ("runs", "--run", str(first), "--note", "x")):
        result = cli(*arguments)
        assert result.exit_code == 1
        assert "comes with the package" in result.stderr
    assert first.is_dir()
    assert second.is_dir()


def test_a_folder_that_is_no_run_stays(cli: Cli, models: Path, tmp_path: Path) -> None:
    site = tmp_path / "site"
    site.mkdir()
    (site / "config.toml").write_text('title = "My blog"')
    for arguments in (("--yes", "--delete", str(site)), ("--run", str(site), "--note", "x")):
        result = cli("runs", *arguments, "--models-dir", str(models))
        assert (result.exit_code, result.stdout) == (1, "")
        assert f"{site} is not a run: its config.toml is of something else" in result.stderr
    assert [path.name for path in site.iterdir()] == ["config.toml"]


def test_the_task_of_what_is_deleted_is_that_of_the_option(cli: Cli, models: Path) -> None:
    delete = ("runs", "--yes", "--models-dir", str(models), "--delete", NAMES[0], "--task")
    result = cli(*delete, "speech")
    assert (result.exit_code, result.stdout) == (1, "")
    assert (models / "sentiment" / NAMES[0]).is_dir()
    assert cli(*delete, "sentiment").exit_code == 0
    assert not (models / "sentiment" / NAMES[0]).is_dir()


def test_a_run_is_needed_however_it_is_named(
    cli: Cli, models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    second = models / "sentiment" / NAMES[1]
    make_run(models, "20260101-000004-gru", None, str(second))
    (models / "elsewhere" / "inner").mkdir(parents=True)
    (models / "link").symlink_to(second)
    monkeypatch.chdir(models / "elsewhere" / "inner")
    for named in (f"../../sentiment/{NAMES[1]}", "../../link"):
        result = cli("runs", "--yes", "--models-dir", "none", "--delete", named)
        assert result.exit_code == 1
        assert f"starts from {named} and has no checkpoint yet" in result.stderr
    assert second.is_dir()


def test_a_run_and_the_one_that_starts_from_it(cli: Cli, models: Path) -> None:
    second, fourth = models / "sentiment" / NAMES[1], "20260101-000004-gru"
    make_run(models, fourth, None, str(second))
    delete = ("runs", "--models-dir", str(models), "--delete", NAMES[1], "--delete", fourth)
    result = cli(*delete, input="y\nn\n")  # the second one is kept, and needs the first
    assert result.exit_code == 1
    assert f"starts from {second} and has no checkpoint yet" in result.stderr
    assert second.is_dir()
    assert cli(*delete, "--yes").exit_code == 0
    assert len(list((models / "sentiment").iterdir())) == 2


def test_a_run_named_twice_is_deleted_once(cli: Cli, models: Path) -> None:
    path = models / "sentiment" / NAMES[0]
    twice = ("--delete", NAMES[0], "--delete", str(path))
    result = cli("runs", *twice, "--models-dir", str(models), input="y\n")
    assert (result.exit_code, result.stderr.count("deleted")) == (0, 1)
    assert not path.exists()


def test_the_working_directory_is_not_deleted(
    cli: Cli, models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = models / "sentiment" / NAMES[0]
    monkeypatch.chdir(path)
    before = sorted(path.rglob("*"))
    result = cli("runs", "--delete", ".", "--yes")
    assert result.exit_code == 1
    assert "is the working directory: change to a directory outside" in result.stderr
    assert [each for each in sorted(path.rglob("*")) if each.name != ".lock"] == before


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (("--sort", "acuracy"), 2, "unknown column 'acuracy', choose from task, run,"),
        (("--note", "x"), 2, "--run and --note go together"),
        (("--run", "x"), 2, "--run and --note go together"),
        (("--yes",), 2, "--yes goes with --delete"),
        (("--delete", "nothing", "--yes"), 1, "no run at nothing"),
        (("--run", "nothing", "--note", "x"), 1, "no run at nothing"),
    ],
)
def test_bad_input_is_one_line(
    cli: Cli, models: Path, arguments: tuple[str, ...], code: int, told: str
) -> None:
    result = cli("runs", *arguments, "--models-dir", str(models))
    assert (result.exit_code, result.stdout) == (code, "")
    assert told in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1
