import pytest

from textapps.cli.environment import unread_variables


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("TEXTAPPS_TRAINING__BATCHSIZE", "TEXTAPPS_TRAINING__BATCH_SIZE"),
        ("TEXTAPPS_TRANING__EPOCHS", "TEXTAPPS_TRAINING__EPOCHS"),
        ("TEXTAPPS_MODEL_DIR", "TEXTAPPS_MODELS_DIR"),
    ],
)
def test_a_variable_that_nothing_reads_is_named(name: str, near: str) -> None:
    given = [name, "PATH", "TEXTAPPS_DEBUG", "TEXTAPPS_DATA__COMMANDS", "TEXTAPPS_PRESET"]
    assert list(unread_variables(given)) == [
        f"environment variable {name} is not read; did you mean '{near}'?"
    ]


def test_known_variables_are_not() -> None:
    from textapps.cli.commands.serve import TOKEN_VARIABLE

    assert not list(unread_variables([TOKEN_VARIABLE, "TEXTAPPS_MODELS_DIR"]))


def test_train_warns(cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEXTAPPS_TRANING__EPOCHS", "3")
    result = cli("sentiment", "train", "--data", "none.csv")
    assert result.exit_code == 3
    assert result.stderr.startswith(
        "warning: environment variable TEXTAPPS_TRANING__EPOCHS is not read; did you mean"
    )
