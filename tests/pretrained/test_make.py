"""The table of the models that come with the package, and the script that makes them."""

import importlib.util
import subprocess
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from textapps.core.errors import ConfigurationError
from textapps.pretrained import store
from textapps.tasks.registry import get_about

MODELS = Path(__file__).parents[2] / "models"


def script(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"models_{name}", MODELS / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def make() -> ModuleType:
    return script("make")


def test_the_table(make: ModuleType) -> None:
    makefile = (MODELS.parent / "Makefile").read_text(encoding="utf-8")
    for name, model in make.read_table().items():
        assert get_about(model.task).figures, name
        for variable in model.needs:
            assert f" {variable}=" in makefile
        variables = {variable: f"/data/{variable}" for variable in model.needs}
        if model.prepare:
            words = make.words_of(model.prepare, variables)
            assert (MODELS.parent / words[0]).is_file()
            variables["DATA"] = "prepared.tsv.gz"
        if model.after:
            variables["RUN"] = "run"
        for line in model.train:
            words = make.words_of(line, variables)
            assert words[1] in ("train", "pretrain")
            variables["RUN"] = "run"
        assert f"{words[0]}{'-pretrain' if words[1] == 'pretrain' else ''}" == model.task


def test_words(make: ModuleType) -> None:
    line = "sentiment train --data $IMDB --init-from $RUN --set 'a=b c'"
    assert make.words_of(line, {"IMDB": "/a b", "RUN": "r"}) == [
        *("sentiment", "train", "--data", "/a b", "--init-from", "r", "--set", "a=b c")
    ]
    with pytest.raises(ConfigurationError, match="name the data by the variable IMDB"):
        make.words_of(line, {})


def test_a_model_without_its_data_is_left_out(
    make: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for model in make.read_table().values():
        for variable in model.needs:
            monkeypatch.delenv(variable, raising=False)
    assert make.main([]) == 0
    said = capsys.readouterr().out
    assert "shakespeare is left out: SHAKESPEARE not given" in said
    assert make.main(["shakespeare"]) == 2
    assert make.main(["shakespear"]) == 2
    assert "did you mean 'shakespeare'?" in capsys.readouterr().err
    assert make.main(["--pack", "tang"]) == 2


def test_trainings_follow_each_other_and_are_resumed(
    make: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Interrupted in the second of two trainings; the first is not repeated."""
    from tests.training import trainee
    from textapps.training.checkpoint import CheckpointStore, TrainingState

    called: list[list[str]] = []
    stopped: list[str | None] = ["epochs", None]

    def call(words: list[str]) -> None:
        called.append(list(words))
        folder = Path(words[-1])
        runs = make.runs_in(folder)
        run = runs[0] if runs else trainee.new_run(folder)
        state = TrainingState(step=3 + len(called), stopped_by=stopped.pop(0))
        CheckpointStore(run.checkpoints).save(state, {}, [])

    monkeypatch.setattr(make, "call", call)
    monkeypatch.setenv("TEXTS", "/texts")
    known = make.read_table()["shakespeare"]
    trainings = ("sentiment train --data $TEXTS", "sentiment train --init-from $RUN")
    table = {
        "words": known.model_copy(update={"train": trainings[:1]}),
        "imdb": known.model_copy(update={"train": trainings[1:], "after": "words"}),
    }
    with pytest.raises(Exception, match="has not finished; repeat it"):
        make.made("imdb", table, tmp_path)
    first, second = called
    assert first[3:6] == ["sentiment", "train", "--data"]
    assert Path(second[6]).is_relative_to(tmp_path / "words")
    stopped.append("epochs")
    run = make.made("imdb", table, tmp_path)
    assert called[2][3:6] == ["sentiment", "train", "--resume"]
    assert called[2][6] == str(run.path)
    assert len(called) == 3


def test_an_error_of_a_training_is_one_line(
    make: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: Any) -> None:
        raise subprocess.CalledProcessError(3, ["textapps"])

    monkeypatch.setattr(make, "made", fail)
    monkeypatch.setenv("SHAKESPEARE", "text.txt")
    assert make.main(["shakespeare"]) == 1
    assert capsys.readouterr().err.startswith("error: ")


def test_the_page_lists_the_models_as_they_are(
    make: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEXTAPPS_PRETRAINED_DIR", str(make.TARGET))
    text = make.PAGE.read_text(encoding="utf-8")
    assert make.page_of(text, store.models()) == text, "pack them again by models/make.py"


def test_regular_poems(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    import gzip

    poems = script("poems")
    regular = ["床前明月光，疑是地上霜。舉頭望明月，低頭思故鄉。", "一二三四五，六七八九十。" * 4]
    others = [
        "床前明月光，疑是地上霜。",  # two lines
        "床前明月光，疑是地上霜。舉頭望明月，低頭思故□。",  # a gap
        "床前明月光，疑是地上霜。舉頭望明月，低頭思故鄉。（一作）",
        "床前明月光，疑是地上霜。舉頭望明月，低頭思故。",
    ]
    rows = ["author\ttitle\ttext", *(f"李白\t靜夜思\t{text}" for text in [*regular, *others])]
    (tmp_path / "in.tsv.gz").write_bytes(gzip.compress("\n".join(rows).encode()))
    poems.main(tmp_path / "in.tsv.gz", tmp_path / "new" / "out.tsv.gz")
    kept = gzip.decompress((tmp_path / "new" / "out.tsv.gz").read_bytes()).decode().splitlines()
    assert kept == rows[:3]
    assert "2 poems" in capsys.readouterr().out


def test_reviews_stand_in_one_split(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    import gzip

    parts = {
        "train": ["1\t好 “书”", '0\t"差'],
        "dev": ["1\t好 “书” ", "0\t一般"],
        "test": ["1\t不错", '0\t"差', "1\t好"],
    }
    for name, rows in parts.items():
        lines = "".join(f"{row}\n" for row in ["label\ttext", *rows])
        (tmp_path / f"chnsenticorp_{name}.tsv.gz").write_bytes(gzip.compress(lines.encode()))
    script("reviews").main(tmp_path, tmp_path / "new" / "out.tsv.gz")
    found = gzip.decompress((tmp_path / "new" / "out.tsv.gz").read_bytes()).decode().splitlines()
    assert found == [
        "label\ttext\tsplit",
        "positive\t好 “书”\ttrain",
        'negative\t"""差"\ttrain',
        "negative\t一般\tvalidation",
        "positive\t不错\ttest",
        "positive\t好\ttest",
    ]
    assert "validation: 1 of 2 reviews" in capsys.readouterr().out
