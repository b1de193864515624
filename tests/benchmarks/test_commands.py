"""Every command from its options to the page, on tiny data; PyTorch's sides where it is there."""

import csv
import gzip
import re
import shutil
from collections.abc import Callable
from importlib.util import find_spec
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.benchmark import SUITES, load
from benchmarks.results import Figures, Results
from benchmarks.suites import startup
from benchmarks.suites.search_quality import SearchQuality
from benchmarks.suites.served import EXPORTS
from tests.serving import models
from tests.tasks.tiny import VERSE, write_opinions
from tests.tasks.toy_language import sentences, translate
from tests.tasks.toy_words import noise, spoken, wav_bytes
from textapps.tasks.speech import evaluate
from textapps.training.run_directory import RunDirectory

# Functions run without being traced, but for those of tf.data.
pytestmark = pytest.mark.filterwarnings("ignore:Even though the `tf.config:UserWarning")
PYTORCH = find_spec("torch") is not None
COMMANDS = ("yes", "no", "left", "right", "happy", "cat", "bed", "down")
TINY = ("--preset", "tiny", "--backbone", "simple_rnn")

Bench = Callable[..., dict[str, Figures]]


def changes(*pairs: str) -> list[str]:
    """Options of what is smaller than in any preset."""
    return ["--set", "training.epochs=1", "backbone.units=8", *pairs]


@pytest.fixture(scope="session")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a file or folder for each task."""
    folder = tmp_path_factory.mktemp("data")
    write_opinions(folder / "opinions.csv")
    (folder / "verses.txt").write_text(VERSE * 12, encoding="utf-8")
    sources = iter(sentences(90))
    parts = {"train.en-de": 40, "val.en-de": 5, "test_2016_flickr.en-de": 6, "spa-eng": 39}
    for name, count in parts.items():
        rows = ((source, translate(source)) for source in islice(sources, count))
        text = "".join(f"{source}\t{target}\n" for source, target in rows)
        (folder / f"{name}.tsv.gz").write_bytes(gzip.compress(text.encode()))
    write_clips(folder / "speech_commands")
    return folder


def write_clips(folder: Path) -> None:
    """Four speakers of each command, as Speech Commands has them, and noise."""
    folder.mkdir()
    with (folder / "splits.tsv").open("w", encoding="utf-8") as file:
        splits = csv.writer(file, delimiter="\t")
        splits.writerow(["path", "split"])
        for word in COMMANDS:
            (folder / word).mkdir(parents=True)
            for number, split in enumerate(("training", "training", "validation", "testing")):
                path = folder / word / f"{number}f_nohash_0.wav"
                path.write_bytes(wav_bytes(spoken(word, number)))
                splits.writerow([path.relative_to(folder), split])
    (folder / "_background_noise_").mkdir()
    (folder / "_background_noise_" / "room.wav").write_bytes(wav_bytes(noise()))


def test_every_command_stands_here() -> None:
    tested = re.findall(r'bench\(\s*"([\w-]+)"', Path(__file__).read_text(encoding="utf-8"))
    assert set(tested) == set(SUITES)


@pytest.mark.usefixtures("eager")
def test_sentiment(bench: Bench, data: Path, results: Results) -> None:
    given = ("--data", data / "opinions.csv")
    found = bench("nbsvm", *given)["nbsvm"]
    assert (found["training_examples"], found["test_examples"]) == (103, 12)
    found = bench("sentiment", *given, *TINY, *changes())["sentiment-tiny-simple_rnn"]
    assert found["test_examples"] == 12
    assert found["passes"] == 1
    assert found["against_baseline"]["accuracy"] == found["metrics"]["accuracy"]
    assert found["config"]["backbone"]["units"] == 8
    page = (results.folder.parent / "results.md").read_text(encoding="utf-8")
    assert "| [sentiment-tiny-simple_rnn](results/sentiment-tiny-simple_rnn.json) |" in page
    before = results.path("nbsvm").stat().st_mtime_ns
    bench("nbsvm", *given)  # not measured again
    assert results.path("nbsvm").stat().st_mtime_ns == before
    bench("nbsvm", *given, "--again")
    assert results.path("nbsvm").stat().st_mtime_ns > before


@pytest.mark.exhaustive
def test_pretraining(bench: Bench, data: Path, work: Path, tmp_path: Path) -> None:
    more = tmp_path / "more.txt"
    texts = (f"a film of {number} minutes\n" for number in range(20))
    more.write_text("".join(texts), encoding="utf-8")
    given = ("--data", data / "opinions.csv", "--more", more, *TINY, *changes())
    found = bench("pretraining", *given)["pretraining"]
    assert found["pretraining"]["texts"] > found["training_examples"]
    accuracy = found["metrics"]["accuracy"]
    assert found["against_baseline"]["accuracy"] == pytest.approx(accuracy, abs=1e-5)
    (run,) = RunDirectory.all(work / "pretraining" / "classifier")
    assert run.config["start"]["init_from"].endswith("-simple_rnn")
    characters = ("--set", "preprocessor.tokens=char", "training.epochs=1", "backbone.units=6")
    given = ("--data", data / "opinions.csv", "--preset", "tiny", "--backbone", "gru")
    found = bench("pretraining-zh", *given, *characters)["pretraining-zh"]
    assert found["baseline"]["name"].endswith("bigrams of characters")


@pytest.mark.exhaustive
@pytest.mark.usefixtures("eager")
def test_small_data(bench: Bench, data: Path, work: Path, results: Results, tmp_path: Path) -> None:
    """First from nothing alone, then from a run that was pre-trained, too."""
    tiny = ("--preset", "tiny", "--backbone", "simple_rnn")
    given = ("--data", data / "opinions.csv", *tiny, *changes())
    asked = ("--size", 12, 20, "--seeds", 2, "--test-texts", 9)
    sizes = bench("small-data", *given, *asked)["small-data"]["sizes"]
    assert {size: list(ways) for size, ways in sizes.items()} == {
        "12": ["nbsvm", "nothing"],
        "20": ["nbsvm", "nothing"],
    }
    for ways in sizes.values():
        for way in ways.values():
            assert len(way["by_seed"]) == 2
            margin = way["accuracy"] - ways["nbsvm"]["accuracy"]
            assert way["margin"] == pytest.approx(margin, abs=1e-4)
            ninths = 9 * np.array(way["by_seed"])
            np.testing.assert_allclose(ninths, ninths.round(), atol=1e-3)
    bench("pretraining", *given)
    (start,) = RunDirectory.all(work / "pretraining" / "pretrained")
    more = tmp_path / "more.txt"
    more.write_text("a fine night indeed\nthe film was awful indeed\n", encoding="utf-8")
    asked = ("--size", 12, "--seeds", 1, "--start", start.path, "--unlabelled", more, "--again")
    given = ("--data", data / "opinions.csv", *tiny, "--set", "backbone.units=8")
    (ways,) = bench("small-data", *given, *asked)["small-data"]["sizes"].values()
    assert list(ways) == ["nbsvm", "nothing", "pretrained", "both"]
    picture = (results.folder / "small-data.svg").read_text(encoding="utf-8")
    assert "with unlabelled texts" in picture


@pytest.mark.exhaustive
@pytest.mark.usefixtures("eager")
def test_search_quality(
    bench: Bench, data: Path, work: Path, results: Results, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = SUITES["search-quality"]["cases"]["reviews"]
    options = ["--data", "{data}/opinions.csv"]
    cases = {"reviews": {**case, "options": options}}
    monkeypatch.setitem(SUITES["search-quality"], "cases", cases)
    given = ("--reviews", data, "--minutes", 60, "--trials", 2, "--seeds", 1, "--preset", "tiny")
    tiny = (*changes("backbone.kind=simple_rnn", "training.adversarial=0"),)
    found = bench("search-quality", *given, *tiny)["search-quality-reviews"]
    assert len(found["preset"]["figure"]) == len(found["search"]["trials"]) == 1
    assert found["search"]["trials"] == [2]
    page = (results.folder.parent / "results.md").read_text(encoding="utf-8")
    assert f"| Chinese reviews | `accuracy` | {found['preset']['mean']:.4f} | " in page


def test_small_parts_of_large_sets(tmp_path: Path) -> None:
    benchmark = load("search-quality").model_copy(update={"most_pairs": 3, "most_poems": 2})
    assert isinstance(benchmark, SearchQuality)
    pairs, poems = tmp_path / "pairs.tsv.gz", tmp_path / "poems.tsv"
    pairs.write_bytes(gzip.compress("".join(f"a {i}\tb {i}\tx\n" for i in range(9)).encode()))
    poems.write_text("author\ttext\n" + "".join(f"me\tline {i}\n" for i in range(5)))
    made = benchmark.prepared(benchmark.cases["pairs"], pairs, tmp_path / "work")
    rows = [line.split("\t") for line in made.read_text().splitlines()]
    assert len(rows) == 3
    assert all(one.replace("a", "b") == other for one, other in rows)
    made = benchmark.prepared(benchmark.cases["poems"], poems, tmp_path / "work")
    header, *texts = made.read_text().splitlines()
    assert (header, len(texts), texts == sorted(texts)) == ("text", 2, True)


@pytest.mark.usefixtures("eager")
def test_time_to_accuracy(bench: Bench, data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from benchmarks.counterparts import keras_recipe

    for name, value in {"VOCABULARY": 30, "LENGTH": 5, "EPOCHS": 1}.items():
        monkeypatch.setattr(keras_recipe, name, value)
    given = ("--data", data / "opinions.csv", *TINY, *changes())
    limits = ("--target", 0.01, "--examples", 64, "--repeats", 1)
    found = bench("time-to-accuracy", *given, *limits)["time-to-accuracy"]
    assert list(found["sides"]) == ["keras_recipe", "simple_rnn"]
    for side in found["sides"].values():
        (once,) = side["repeats"]
        assert once["step"] * 32 == 64
        assert once["val_accuracy"] >= 0.01
    assert found["recipe_takes_times_as_long"]["simple_rnn"] > 0


@pytest.mark.slow
def test_generate(bench: Bench, data: Path) -> None:
    given = ("--data", data / "verses.txt", *TINY, *changes())
    found = bench("generate", *given)["generate-tiny-simple_rnn"]
    assert found["metrics"]["nats_per_character"] < 4
    found = bench("shakespeare", *given, "model.ngrams=3")["shakespeare-simple_rnn"]
    assert found["config"]["model"]["ngrams"] == 3
    # Of a text this short the model has only measured its gradients yet.
    static = found["metrics"]["nats_per_character"]
    assert found["adapted"]["nats_per_character"] == pytest.approx(static, abs=1e-4)
    found = bench("nanogpt", *given, "--seconds", 0)["nanogpt"]
    assert found["textapps"]["steps"] > 0
    assert found["ngrams"]["order"] > 1
    assert found.get("margin", {}).keys() == (
        {"difference", "low", "high", "p_value"} if PYTORCH else set()
    )
    assert found["left_out"].keys() == (set() if PYTORCH else {"recipe"})


@pytest.mark.exhaustive
def test_generation(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    case = {"label": "small", "backbone": "gru", "units": 8, "texts": 2}
    monkeypatch.setitem(SUITES["generation"], "cases", [case])
    found = bench("generation", "--rounds", 1, "--characters", 3)["generation"]
    assert list(found["cases"]) == ["small"]
    for case in found["cases"].values():
        own = {"compiled", "exported", "alone", "exported_compiled"}
        assert case["sides"].keys() == {*own, *["pytorch"] * PYTORCH}
        assert all(side["median_per_second"] > 0 for side in case["sides"].values())
    assert found["left_out"].keys() == (set() if PYTORCH else {"pytorch"})


@pytest.mark.slow
def test_recurrent_steps(bench: Bench, results: Results, monkeypatch: pytest.MonkeyPatch) -> None:
    size = {"batch": 3, "time": 4, "inputs": 5, "units": 6}
    sizes = {
        "narrow": [{"label": "one way", **size}],
        "presets": [{"label": "both ways", "kinds": ["gru"], "both_ways": True, **size}],
    }
    monkeypatch.setitem(SUITES["recurrent-steps"], "sizes", sizes)
    found = bench("recurrent-steps", "--rounds", 1)["recurrent-steps"]
    others = {"keras", *["pytorch"] * PYTORCH}
    assert [case["kind"] for case in found["cases"]] == ["gru", "lstm", "gru"]
    for case in found["cases"]:
        assert case["sides"].keys() == {"textapps", *others}
        assert case["times"].keys() == others
    (both_ways,) = (case["times"]["keras"] for case in found["cases"] if case["both_ways"])
    assert found["groups"]["presets"]["keras"] == {"geometric_mean": both_ways, "least": both_ways}
    assert found["left_out"].keys() == (set() if PYTORCH else {"pytorch"})
    page = (results.folder.parent / "results.md").read_text(encoding="utf-8")
    assert "| `gru`, both ways | 3, 4 | 5, 6 | yes |" in page


@pytest.mark.usefixtures("eager")
def test_copy_task(bench: Bench) -> None:
    given = ("--backbone", "simple_rnn", "--distance", 2, 3, "--steps", 2)
    found = bench("copy-task", *given)["copy-task"]["backbones"]["simple_rnn"]
    assert [found[distance]["steps"] for distance in ("2", "3")] == [2, 2]


@pytest.mark.exhaustive
@pytest.mark.usefixtures("eager")
def test_translate(bench: Bench, data: Path) -> None:
    sizes = ("backbone.layers=1", "preprocessor.tokens=word", "decoding.max_extra=2")
    given = ("--data", data, *TINY, *changes(*sizes, "decoding.max_ratio=0"))
    found = bench("translate", *given, "--attention", "none")["translate-tiny-simple_rnn-none"]
    assert found["config"]["backbone"]["attention"] == "none"
    assert (found["training_examples"], found["test_examples"]) == (40, 6)
    assert list(found["searches"]) == ["beam of 5", "greedy"]
    assert found["searches"]["beam of 5"]["bleu"] == pytest.approx(found["metrics"]["bleu"])
    assert "version:" in found["signatures"]["chrf"]
    found = bench("tatoeba", *given, "--way", "es-en")["translate-tatoeba-es-en-tiny-simple_rnn"]
    assert 0 < found["test_examples"] < found["training_examples"]


@pytest.mark.exhaustive
@pytest.mark.usefixtures("eager")
def test_numbers(bench: Bench, data: Path) -> None:
    sizes = ("backbone.layers=1", "preprocessor.tokens=word", "decoding.max_extra=2")
    given = ("--data", data, *TINY, *changes(*sizes, "decoding.max_ratio=0"))
    ways = bench("numbers", *given)["numbers"]["ways"]
    for way in ("copied", "as text"):
        assert ways[way]["copied"]["numbers"]["of"] == 240
        assert ways[way]["copied"]["names"]["of"] == 60


@pytest.mark.slow
@pytest.mark.usefixtures("eager")
def test_search(bench: Bench) -> None:
    sizes = ("--units", 8, "--layers", 1, "--heads", 2, "--feed-forward", 6, "--vocabulary", 31)
    asked = ("--rounds", 1, "--batch", 2, "--length", 2, 4)
    found = bench("search", *asked, *sizes)["search"]
    assert [(case["batch"], case["length"]) for case in found["cases"]] == [
        (2, 2),
        (2, 4),
        (1, 2),
        (1, 4),
    ]
    others = {"textapps-compiled"} | ({"pytorch", "pytorch-uncached"} if PYTORCH else set())
    for case in found["cases"]:
        assert case["sides"]["textapps"]["median_per_second"] > 0
        assert case["times"].keys() == others
    assert list(found["doubled"]) == ["2 to 4"]


@pytest.mark.exhaustive
@pytest.mark.usefixtures("eager")
def test_speech(bench: Bench, data: Path, work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evaluate, "STREAM_SECONDS", 20.0)
    sizes = (
        "preprocessor.sample_rate=8000",
        "preprocessor.high_hz=3800",
        "preprocessor.clip_seconds=0.3",
        "preprocessor.hop_ms=25",
        "preprocessor.mels=14",
    )
    given = ("--data", data / "speech_commands", "--backbone", "simple_rnn", *changes(*sizes))
    name = "speech-closed-small-simple_rnn"
    found = bench("speech", *given)[name]
    assert (found["training_examples"], found["test_examples"]) == (16, 8)
    assert found["metrics"].keys() >= {"accuracy_10_db", "speaker_worst_decile"}
    assert found["lite"]["bytes"].keys() == {"float", "int8"}
    run = RunDirectory.latest(work / name, "speech").path
    asked = ("--run", run, "--rounds", 1, "--batch", 5, "--steps", 2)
    found = bench("speech-speed", *asked)["speech-speed"]
    assert found["training"]["textapps"]["median_per_second"] > 0
    assert len(found["milliseconds_per_clip"]) == 4
    assert found["left_out"].keys() == (set() if PYTORCH else {"pytorch"})


@pytest.mark.exhaustive
def test_added_words(
    bench: Bench, trained: Callable[..., Any], toy_data: Callable[..., Path]
) -> None:
    run = trained("speech", "lstm").run.path
    given = ("--data", toy_data("speech"), "--run", run, "--word", "hiss")
    found = bench("added-words", *given, "--recordings", 3, "--draws", 2)["added-words"]
    assert found["test_clips"] == {"other words": 6, "commands": 27, "hiss": 3}
    assert found["words"]["hiss"]["recall"] == found["recall"] >= found["least_recall"]
    assert 0 <= found["false_accepts"] <= found["most_false_accepts"] <= 1


def test_unknown_words(
    bench: Bench, trained: Callable[..., Any], toy_data: Callable[..., Path]
) -> None:
    run = trained("speech", "lstm").run.path
    given = ("--data", toy_data("speech"), "--run", run, "--share", 0.3)
    found = bench("unknown-words", *given)["unknown-words"]
    assert found["clips"]["test"] == {"other words": 6, "commands": 27}
    assert list(found["scores"]) == ["margin", "probability", "energy", "distance", "cosine"]
    for splits in found["scores"].values():
        assert splits["validation"]["false_accepts"] <= 0.3
        assert splits["test"]["right"] <= splits["test"]["recall"] <= 1


@pytest.fixture
def exports(work: Path, tmp_path: Path) -> None:
    """What the serving benchmarks would train and export."""
    folder = work / "serving" / "exported"
    if not folder.is_dir():
        for name, (task, _) in EXPORTS.items():
            write = models.generator if task == "generate" else models.classifier
            models.publish(write, tmp_path / name)
            (folder / name).mkdir(parents=True)
            shutil.move(tmp_path / name, folder / name / "1")


@pytest.mark.usefixtures("exports")
def test_serving(bench: Bench) -> None:
    given = ("--seconds", 0.6, "--rounds", 1, "--starts", 0, "--connections", 4)
    found = bench("serving", *given)["serving"]
    for figures in found["texts"].values():
        assert figures["sides"].keys() == {"textapps", "plain, in threads", "plain, in the loop"}
        for side in (*figures["sides"].values(), figures["at_half_load"]):
            (once,) = side["rounds"]
            assert once["requests"] > 0
            assert once["wrong"] == 0
    assert found["idle_memory_mb"] > 1


@pytest.mark.usefixtures("exports")
def test_serving_over_grpc(bench: Bench) -> None:
    given = ("--seconds", 0.3, "--rounds", 2, "--connections", 3)
    found = bench("serving-grpc", *given)["serving-grpc"]
    assert found["words"] == 20
    for side in ("gRPC", "REST"):
        assert [each["wrong"] for each in found["sides"][side]["rounds"]] == [0, 0]
        assert found["sides"][side]["server_cpu_ms"] >= 0
    assert found["times_rest"] > 0


@pytest.mark.exhaustive
def test_serving_for_long_and_versions(bench: Bench) -> None:
    found = bench("serving-soak", "--seconds", 0.5, "--connections", 4)["serving-soak"]
    assert found["wrong"] == 0, found["first_wrong"]
    assert {"200", "400"} <= found["statuses"].keys() <= {"200", "400", "403", "404", "413"}
    given = ("--seconds", 1.5, "--swap-seconds", 0.3, "--connections", 4)
    found = bench("serving-swap", *given)["serving-swap"]
    assert found["wrong"] == 0, found["first_wrong"]
    assert found["versions_published"] > 2


def test_serving_of_models_whose_rows_depend_on_each_other(bench: Bench) -> None:
    found = bench("serving-dependent", "--requests", 6, "--connections", 3)["serving-dependent"]
    assert found["wrong"] == 0, found["first_wrong"]
    assert [each["requests"] for each in found["models"].values()] == [6] * 5


@pytest.mark.slow
def test_serving_of_large_requests(bench: Bench) -> None:
    given = ("--at-once", 2, "--rounds", 1, "--megabytes", 0.1, "--floats", 9000)
    found = bench("serving-health", *given)["serving-health"]
    assert found["wrong"] == 0
    statuses = {name: list(each["statuses"]) for name, each in found["kinds"].items()}
    assert statuses == {
        **{name: ["200"] for name in ("numbers", "texts", "answers")},
        **{name: ["400"] for name in ("brackets", "nested", "stream")},
    }


@pytest.mark.usefixtures("exports")
def test_serving_of_many_models_and_of_anything(bench: Bench) -> None:
    assert bench("serving-many", "--models", 3)["serving-many"]["models"] == 3
    found = bench("serving-fuzz", "--cases", 90, "--connections", 3)["serving-fuzz"]
    assert found["wrong"] == 0, found["first_wrong"]
    assert sum(found["statuses"].values()) == 90
    assert {"200", "400"} < found["statuses"].keys()
    assert (found["answers_500_without_traceback"], found["left_waiting"]) == (0, 0)
    assert (found["answers_afterwards"], found["exit_code"]) == (1, 0)


def test_batch_inference(bench: Bench, work: Path) -> None:
    model = models.classifier(work / "batch-inference" / "exported" / "sentiment" / "1")
    shutil.rmtree(model / "assets.extra")
    given = ("--rows", 7, "--alone", 3, "--rounds", 1)
    found = bench("batch-inference", *given)["batch-inference"]
    assert (found["rows"], found["files"], found["one_by_one"]["rows"]) == (7, 1, 3)
    times = found["rows_per_second"] / found["one_by_one"]["rows_per_second"]
    assert found["times_one_by_one"] == pytest.approx(times, rel=0.1, abs=0.01)


@pytest.mark.exhaustive
def test_batch_spark(bench: Bench, work: Path) -> None:
    pytest.importorskip("pyspark", reason="needs the extra [spark]")
    if shutil.which("java") is None:
        pytest.skip("needs Java")
    model = models.classifier(work / "batch-spark" / "exported" / "sentiment" / "1")
    shutil.rmtree(model / "assets.extra")
    sizes = ("--rows", 9, "--compared", 80_000, "--bad", 7, "--rows-in-a-file", 40_000)
    found = bench("batch-spark", *sizes, "--rounds", 1)["batch-spark"]
    assert found["compared"]["bad_rows"] == 7
    assert set(found["compared"]["equal"].values()) == {True}
    assert found["compared"]["equal"].keys() >= {"spark", "spark, an executor killed"}
    assert (found["rows"], found["files"]) == (9, 1)
    assert found["peak_memory_mb"] > 100


@pytest.mark.exhaustive
@pytest.mark.usefixtures("eager")
def test_large_data(bench: Bench, work: Path) -> None:
    given = ("--megabytes", 0.03, "--preset", "tiny", "--steps", 2)
    found = bench("large-data", *given)["large-data"]
    assert found["rows"] > 100
    assert found["cache_mb"] >= 0
    assert list(found["starts"]) == ["first", "second"]
    for start in found["starts"].values():
        assert start["seconds"] > 0
        assert start["peak_memory_mb"] > 100
    assert not (work / "large-data").exists()
    given = ("--megabytes", 0.02, "--preset", "tiny", "--steps", 2)
    assert list(bench("large-text", *given)["large-text"]["starts"]) == ["first", "second"]


@pytest.mark.exhaustive
def test_distributed(bench: Bench, data: Path) -> None:
    given = ("--data", data / "opinions.csv", *TINY, "--set", "training.batch_size=10")
    limits = ("--epochs", 1, "--repeats", 1, "--interval", 3)
    found = bench("distributed", *given, *limits)["distributed"]
    assert found["batch_size"] == 10
    assert list(found["examples_per_second"]) == ["one process", "two processes"]
    assert found["ratio"] > 0


@pytest.mark.slow
@pytest.mark.usefixtures("eager")
def test_startup(bench: Bench, data: Path, work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bench("sentiment", "--data", data / "opinions.csv", *TINY, *changes())
    run = RunDirectory.latest(work / "sentiment-tiny-simple_rnn", "sentiment")
    monkeypatch.setattr(startup, "sample", lambda *_: run)
    found = bench("startup", "--rounds", 1)["startup"]
    assert len(found["commands"]) == 4
    answer = "textapps sentiment predict (simple_rnn, tiny, opinions)"
    assert list(found["times_import_tensorflow"]) == [answer]


def test_scaling(bench: Bench, results: Results, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match=r"sentiment-small-lstm-backbone\.json is not there"):
        bench("scaling")
    at = {"cores": 3, "tensorflow": "t", "keras": "k", "system": "s", "date": "d"}
    figures = {"parameters": 1_000, "training_seconds": 12.8, "steps": 10}
    results.write("sentiment-small-lstm-backbone", figures, ["sentiment"], at)
    bench("scaling")
    assert "is 0.0 MB; an example took 10.00 ms on 3 cores." in capsys.readouterr().out
