"""The command that learns from texts without labels."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from textapps.core.config import read_toml

Cli = Callable[..., Result]
SIZES = (
    *("--preset", "tiny", "--units", "6", "--epochs", "1"),
    *("--set", "model.embedding_units=5", "--set", "preprocessor.vocabulary_size=9"),
)


@pytest.mark.slow
def test_several_sources_a_report_and_a_run_to_start_from(cli: Cli, tmp_path: Path) -> None:
    paths = [tmp_path / "one.txt", tmp_path / "two.txt"]
    for number, path in enumerate(paths):
        lines = [f"a film and {number} more of {place}" for place in range(20)]
        path.write_text("\n".join(lines), encoding="utf-8")
    models = ("--models-dir", str(tmp_path / "models"))
    data = [part for path in paths for part in ("--data", str(path))]
    done = cli("sentiment", "pretrain", *data, *SIZES, *models)
    assert done.exit_code == 0, done.stderr
    run = Path(done.stdout.strip())
    assert run.parent == tmp_path / "models" / "sentiment-pretrain"
    config = read_toml(run / "config.toml")["data"]
    assert [config["source"], *config["more"]] == list(map(str, paths))
    assert "nats per token at step" in done.stderr
    (report,) = (run / "evaluations").glob("*.html")
    assert f"report: {report}" in done.stderr
    assert "Nats per token" in report.read_text(encoding="utf-8")
    (row,) = map(json.loads, cli("runs", "--json", *models).stdout.splitlines())
    assert (row["task"], row["run"], row["state"], row["monitor"]) == (
        "sentiment-pretrain",
        run.name,
        "finished",
        "nats_per_token",
    )
    done = cli("sentiment", "evaluate", *models)
    assert done.exit_code == 1
    assert "no finished run of sentiment in" in done.stderr


def test_a_missing_run_is_named_with_its_command(cli: Cli, tmp_path: Path) -> None:
    models = ("--models-dir", str(tmp_path))
    done = cli("sentiment", "pretrain", "--resume", "gone", *models)
    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr.startswith("error: no run at gone")
