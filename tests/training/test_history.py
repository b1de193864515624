import csv

from tests.training import trainee
from textapps.training.history import History


def steps(run):
    with (run.path / "history.csv").open(newline="") as file:
        return [int(row["step"]) for row in csv.DictReader(file)]


def test_is_cut_back_to_the_checkpoint(tmp_path):
    run = trainee.new_run(tmp_path)
    history = History(run, 0)
    for step in (5, 10, 12_345_678):
        history.append({"step": step, "loss": 1 / 3})
    assert steps(run) == [5, 10, 12_345_678]
    resumed = History(run, 12)
    assert steps(run) == [5, 10]
    resumed.append({"step": 15, "loss": 0.25})
    lines = (run.path / "history.csv").read_text().splitlines()
    assert lines == ["step,loss", "5,0.3333333", "10,0.3333333", "15,0.25"]
    # A run that an earlier version began, which knew fewer columns.
    resumed.append({"step": 20, "loss": 0.125, "clipped_steps": 3})
    lines = (run.path / "history.csv").read_text().splitlines()
    assert (lines[0], lines[-2:]) == ("step,loss,clipped_steps", ["15,0.25,", "20,0.125,3"])
    History(run, 0)
    assert not (run.path / "history.csv").exists()
