"""A trained run as a pretrained model, and what uses one in the place of a run."""

import errno
import json
import logging
import shutil
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import textapps
from tests.quick import quick
from tests.tasks.runs import INPUT, PACKED
from tests.tasks.tiny import TRAINED
from textapps.core.errors import DataError, ExportError, RunError
from textapps.core.names import TASKS
from textapps.core.records import read_record
from textapps.pretrained.model import PretrainedModel
from textapps.savedmodel.manifest import read_manifest
from textapps.tasks import lifecycle, packing
from textapps.tasks.packing import Recipe, pack
from textapps.tasks.registry import get_task
from textapps.training.checkpoint import CheckpointStore
from textapps.training.run_directory import RunDirectory
from textapps.training.weights import trained_records

Packed = Callable[[str], PretrainedModel]


@pytest.fixture
def pretrained(packed: Packed, monkeypatch: pytest.MonkeyPatch) -> Packed:
    """`pretrained("speech")` is the tiny pretrained model of the task, the only one there is."""

    def use(task: str) -> PretrainedModel:
        model = packed(task)
        monkeypatch.setenv("TEXTAPPS_PRETRAINED_DIR", str(model.path.parent))
        return model

    return use


def files_of(directory: Path) -> set[str]:
    return {p.relative_to(directory).as_posix() for p in directory.rglob("*") if p.is_file()}


@pytest.mark.parametrize("task", TASKS)
def test_a_packed_run_is_small_whole_and_not_worse(
    packed: Packed, trained: Callable[..., Any], task: str
) -> None:
    model, run = packed(task), trained(task, PACKED[task][1]).run
    model.verify()
    others = files_of(model.path) - {"pretrained.json"}
    assert set(model.description.sha256) == others
    assert not {"history.csv", "report.html", "start.json"} & others
    step = f"checkpoints/step-{trained_records(run)[0].step:08d}"
    weights = {name for name in others if name.startswith("checkpoints")}
    assert weights == {f"{step}/arrays.npz", f"{step}/state.json"}
    before = (run.path / step / "arrays.npz").stat().st_size
    assert (model.path / step / "arrays.npz").stat().st_size < before / 3  # no optimizer
    figures = model.description.figures
    metrics = json.loads((model.path / "metrics.json").read_bytes())
    assert metrics["run"] == f"pretrained:{PACKED[task][0]}"
    assert metrics["metrics"].items() >= figures.metrics.items()
    assert figures.metrics.keys() == figures.full_precision.keys()
    assert figures.split == "test"
    assert str(run.path.parent) not in "".join(
        path.read_text(encoding="utf-8")
        for path in model.path.rglob("*")
        if path.suffix in (".toml", ".json", ".md")
    )


@pytest.mark.parametrize("task", quick(TASKS, "sentiment", "speech"))
def test_the_weights_are_those_of_the_run_but_for_rounding(
    packed: Packed, pretrained: Packed, trained: Callable[..., Any], task: str
) -> None:
    origin, run = pretrained(task).origin, trained(task, PACKED[task][1])
    small, full = textapps.load(task, origin), lifecycle.load(get_task(task), run.run)
    assert small.run.name == origin
    assert small.labels == full.labels
    rounded = 0
    for one, other in zip(small.model.weights, full.model.weights, strict=True):
        if "ngram_path" in other.path or "carried" in other.path:
            continue
        old = np.asarray(other)
        level = np.abs(old).max(initial=0) / 127
        np.testing.assert_allclose(np.asarray(one), old, atol=0.51 * level)
        rounded += not np.array_equal(np.asarray(one), old)
    assert rounded


def test_the_configuration_names_no_place(packed: Packed) -> None:
    config = tomllib.loads((packed("sentiment").path / "config.toml").read_text())
    assert config["data"]["source"] == "toys"
    assert "init_from" not in config["start"]
    assert "stamp" not in read_record(packed("sentiment").path / "data.json")


@pytest.mark.slow
def test_ngrams_keep_their_effect(pretrained: Packed, trained: Callable[..., Any]) -> None:
    full = trained("sentiment", PACKED["sentiment"][1])
    small = textapps.load("sentiment", pretrained("sentiment").origin)
    texts = ["the film was great", "dull", "a night of the film, so-so", ""]
    np.testing.assert_allclose(small.scores(texts), full.scores(texts), atol=0.03)


def test_few_ngrams_are_those_with_the_largest_effect(trained: Callable[..., Any]) -> None:
    full = trained("sentiment", "transformer")
    small = get_task("sentiment").slimmed(full, 3)
    assert small.preprocessor.ngram_count == 3
    effect = np.ptp(np.asarray(full.model.ngram_path.ratio * full.model.ngram_path.weight), axis=1)
    keys = full.preprocessor.ngrams.keys.numpy()
    kept = {int(key) for key in small.preprocessor.ngrams.keys.numpy()}
    largest = np.sort(effect[1:])[-3]
    assert kept <= {int(key) for key, own in zip(keys, effect[1:], strict=True) if own >= largest}
    telling = "awful dull great fine meh"
    known = small.preprocessor([telling])["ngrams"].numpy()
    assert 0 < np.count_nonzero(known) <= 3


@pytest.fixture
def commands(packed: Packed) -> Any:
    """The packed recogniser, made before a test replaces a part of what makes it."""
    return packed("speech")


def repack(commands: Any, trained: Callable[..., Any], folder: Path, **changes: Any) -> Any:
    """Packs the recogniser's run again."""
    run = trained("speech", PACKED["speech"][1]).run
    facts = {key: getattr(commands.description, key) for key in packing.Facts.model_fields}
    recipe = Recipe("again", packing.Facts(**facts), "toys", ("textapps",), **changes)
    return pack(get_task("speech"), run, recipe, folder)


@pytest.mark.slow
def test_half_precision_and_replacing(
    commands: Any, trained: Callable[..., Any], tmp_path: Path
) -> None:
    model = repack(commands, trained, tmp_path, weights="float16")
    (model.path / "left over").touch()
    again = repack(commands, trained, tmp_path, weights="float16")
    assert again.path == model.path
    assert files_of(tmp_path) == {
        f"again/{n}" for n in (*again.description.sha256, "pretrained.json")
    }
    assert again.bytes > commands.bytes
    assert "half precision" in again.card


@pytest.mark.slow
def test_a_model_that_lost_too_much_is_not_written(
    commands: Any, trained: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packing, "read_metrics", lambda run: {"accuracy": 1.0021})
    with pytest.raises(ExportError, match=r"again: accuracy is .* and 1\.0021 in full"):
        repack(commands, trained, tmp_path)
    assert not files_of(tmp_path)


def test_a_run_that_has_not_finished(
    commands: Any, trained: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(RunDirectory, "finished", False)
    with pytest.raises(RunError, match="has not finished: resume it"):
        repack(commands, trained, tmp_path)


def test_a_full_disk(
    commands: Any, trained: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def save(*_: Any, **__: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(np, "savez_compressed", save)
    with pytest.raises((ExportError, RunError), match="No space left"):
        repack(commands, trained, tmp_path)
    assert not files_of(tmp_path)


@pytest.mark.parametrize("task", ["sentiment", "generate"])
def test_it_answers_where_there_is_no_run(
    pretrained: Packed, tmp_path: Path, task: str, caplog: pytest.LogCaptureFixture
) -> None:
    name = PACKED[task][0]
    pretrained(task)
    caplog.clear()  # of what making it said
    with caplog.at_level(logging.INFO, "textapps"):
        predictor = textapps.load(task, models_dir=tmp_path / "models")
    assert predictor.run.name == f"pretrained:{name}"
    (said,) = [record.getMessage() for record in caplog.records if record.name == "textapps"]
    for part in (
        f"no run of {task}",
        f"pretrained:{name}",
        f"`textapps {task} train",
        "answers for",
    ):
        assert part in said
    other = next(each for each in TASKS if each != task)
    with pytest.raises(RunError, match=f"no finished run of {other}"):
        textapps.load(other, models_dir=tmp_path)


def test_a_run_of_the_user_comes_first(
    pretrained: Packed, trained: Callable[..., Any], tmp_path: Path
) -> None:
    pretrained("generate")
    run = trained("generate", TRAINED["generate"][0]).run
    shutil.copytree(run.path, tmp_path / "generate" / run.name)
    assert textapps.load("generate", models_dir=tmp_path).run.name == run.name
    shutil.rmtree(tmp_path / "generate" / run.name / "checkpoints")
    with pytest.raises(RunError, match=r"no finished run of generate .*resume"):
        textapps.load("generate", models_dir=tmp_path)


def test_it_is_no_run_of_the_folder_it_lies_in(packed: Packed, tmp_path: Path) -> None:
    """In a checkout the models of the package lie where runs do."""
    shutil.copytree(packed("generate").path, tmp_path / "pretrained" / "shakespeare")
    assert RunDirectory.all(tmp_path) == []


def test_of_another_task(pretrained: Packed, tmp_path: Path) -> None:
    origin = pretrained("speech").origin
    with pytest.raises(RunError, match=f"{origin} is a model of speech, not of translate"):
        textapps.load("translate", origin, tmp_path)


def test_it_cannot_be_resumed(pretrained: Packed, tmp_path: Path) -> None:
    origin = pretrained("speech").origin
    with pytest.raises(RunError, match=f"no optimizer .* by --init-from {origin}"):
        RunDirectory.find(tmp_path, "speech", origin, trained=False)


def test_a_damaged_one_is_refused_before_it_is_loaded(
    packed: Packed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = shutil.copytree(packed("speech").path, tmp_path / "commands")
    monkeypatch.setenv("TEXTAPPS_PRETRAINED_DIR", str(tmp_path))
    weights = next(path.glob("checkpoints/*/arrays.npz"))
    with weights.open("r+b") as file:
        file.seek(100)
        file.write(b"?")
    with pytest.raises(RunError, match=f"damaged: {weights} has the sha256"):
        textapps.load("speech", "pretrained:commands")


@pytest.mark.slow
@pytest.mark.parametrize("task", ["sentiment", "translate"])
def test_a_new_run_starts_from_it(
    pretrained: Packed, tiny: Callable[..., Any], tmp_path: Path, task: str
) -> None:
    model = pretrained(task)
    config = tiny(task, PACKED[task][1], **{"start.init_from": model.origin})
    made = lifecycle.begin(get_task(task), config, tmp_path)
    written = tomllib.loads((made.run.path / "config.toml").read_text())
    assert written["start"]["init_from"] == model.origin
    assert made.start is not None
    assert made.start.run.name == model.origin


def test_figures_are_kept_outside_of_the_package(
    pretrained: Packed, toy_data: Callable[[str], Path], tmp_path: Path
) -> None:
    model = pretrained("sentiment")
    before = {name: (model.path / name).read_bytes() for name in files_of(model.path)}
    predictor = textapps.load("sentiment", model.origin, tmp_path)
    with pytest.raises(DataError, match=f"{model.origin} comes without the data .* by --data"):
        predictor.evaluate()
    summary = predictor.evaluate(data=toy_data("sentiment"))
    assert summary["run"] == model.origin
    assert summary["metrics"]["accuracy"] > 0.5
    written = files_of(tmp_path)
    assert written
    assert {Path(name).parts[:2] for name in written} == {("sentiment", "pretrained-imdb")}
    assert {name: (model.path / name).read_bytes() for name in files_of(model.path)} == before


@pytest.mark.slow
def test_an_export_has_the_inputs_that_come_with_it(pretrained: Packed, tmp_path: Path) -> None:
    model = pretrained("sentiment")
    predictor = textapps.load("sentiment", model.origin)
    made = predictor.export(tmp_path, verify=False, warmup=False, explain=False, examples=1)
    manifest = read_manifest(made)
    assert [example.inputs for example in manifest.examples] == [{INPUT["sentiment"]: "the film"}]
    assert manifest.data == model.description.figures.data
    assert manifest.metrics["accuracy"] == model.description.figures.metrics["accuracy"]


def test_weights_in_an_unknown_encoding(packed: Packed, tmp_path: Path) -> None:
    path = shutil.copytree(packed("speech").path, tmp_path / "commands")
    state = next(path.glob("checkpoints/*/state.json"))
    state.write_text(state.read_text().replace("int8-rows", "int4-rows"))
    with pytest.raises(RunError, match=r"unknown encoding .*int4-rows.*install a newer textapps"):
        textapps.load("speech", path)
    assert CheckpointStore(path / "checkpoints").steps()
