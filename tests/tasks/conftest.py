"""Small runs of the tasks, trained once for all of their tests."""

import copy
import csv
import fcntl
import os
import random
import shutil
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from click.testing import Result

from tests.tasks.stopping import CopyHalfway
from tests.tasks.toy_language import write_pairs
from tests.tasks.toy_words import CLIP_SECONDS, RATE_HZ, WORDS, write_words
from textapps.tasks.sentiment.config import PRESETS, SentimentConfig

# Names that trip over quoting, encodings and numbers; in the order of the scores.
LABELS = ("0", "größer als", 'so "la, la"')
TELLING = (("dull", "awful"), ("fine", "great", "映画"), ("meh", "so-so"))
FILLERS = ("the", "film", "was", "a", "night", "of", "it")
ROWS = {"train": 94, "validation": 9, "test": 12}

TINY = {
    "preset": "tiny",
    "preprocessor.vocabulary_size": 40,
    "preprocessor.max_tokens": 200,
    "backbone.units": 8,
    "backbone.heads": 2,
    "model.embedding_units": 6,
    "model.embedding_dropout": 0.05,
    "model.head_dropout": 0.05,
    "backbone.dropout": 0.05,
    "training.epochs": 8,
    "training.batch_size": 10,
    "training.learning_rate": 0.03,
    "training.warmup_steps": 2,
}
# Some with n-grams beside the backbone, some without.
NGRAMS = {"lstm": 2, "transformer": 2}


class Trained(NamedTuple):
    """A classifier as it came out of training, and how training went."""

    classifier: Any
    result: Any

    @property
    def run(self) -> Any:
        return self.classifier.run


def write_opinions(path: Path, seed: int = 3) -> Path:
    """Texts in which one word tells the class, a third of each class, with their splits."""
    draw = random.Random(seed)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["text", "label", "split"])
        for split, count in ROWS.items():
            for number in range(count):
                words = draw.choices(FILLERS, k=draw.randrange(2, 9))
                words.insert(draw.randrange(len(words)), draw.choice(TELLING[number % 3]))
                writer.writerow([" ".join(words), LABELS[number % 3], split])
    return path


@pytest.fixture(scope="session")
def trained_once(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Any], tuple[Any, Any]]:
    """`trained_once(config)` trains, or takes what another process of pytest has trained.

    `stopping.halfway` has the run as it was in the middle of a pass.
    """
    base = tmp_path_factory.getbasetemp()
    shared = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "trained"

    def train(config: Any) -> tuple[Any, Any]:
        from textapps.tasks import lifecycle
        from textapps.tasks.registry import get_task
        from textapps.training.run_directory import RunDirectory

        task = get_task(config.task)
        directory = shared / config.task / config.backbone.kind
        directory.mkdir(parents=True, exist_ok=True)
        with (directory / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            runs = RunDirectory.all(directory, config.task)
            if runs:
                return lifecycle.resume(task, runs[0])
            progress = CopyHalfway(directory / config.task)
            return lifecycle.train(task, config, directory, progress)

    return train


@pytest.fixture(scope="session")
def opinions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A CSV file of three classes of odd names."""
    return write_opinions(tmp_path_factory.mktemp("data") / "opinions.csv")


@pytest.fixture(scope="session")
def tiny(opinions: Path) -> Callable[..., SentimentConfig]:
    """`tiny("gru", **{"training.epochs": 1})` is a configuration that trains in seconds."""

    def make(kind: str = "simple_rnn", **changes: object) -> SentimentConfig:
        flags = {**TINY, "backbone.kind": kind, "data.source": str(opinions)}
        return PRESETS.resolve(flags={**flags, **changes})

    return make


@pytest.fixture(scope="session")
def trained(
    trained_once: Callable[[Any], tuple[Any, Any]], tiny: Callable[..., SentimentConfig]
) -> Callable[[str], Trained]:
    """`trained("gru")` is a finished run that no test may change."""

    @cache
    def train(kind: str) -> Trained:
        config = tiny(kind, **{"model.ngrams": NGRAMS.get(kind, 0)})
        return Trained(*trained_once(config))

    return train


@pytest.fixture
def assert_fails() -> Callable[..., None]:
    """`assert_fails(result, 3, "no such file")`: one line of error, nothing where answers go."""

    def check(result: Result, code: int, *parts: str) -> None:
        assert (result.exit_code, result.stdout) == (code, ""), result.stderr
        lines = result.stderr.splitlines()
        errors = [line for line in lines if line.startswith("error: ")]
        assert errors == lines[-1:], result.stderr
        assert "internal error" not in errors[0]
        assert "Traceback" not in result.stderr
        for part in parts:
            assert part in errors[0]

    return check


@pytest.fixture
def models(trained: Callable[[str], Trained], tmp_path: Path) -> Path:
    """A folder with one finished run, which a test may damage."""
    run = trained("simple_rnn").run.path
    shutil.copytree(run, tmp_path / "models" / "sentiment" / "20260101-000000-simple_rnn")
    return tmp_path / "models"


@pytest.fixture
def run(models: Path) -> Path:
    (path,) = (models / "sentiment").iterdir()
    return path


@pytest.fixture
def traced(trained: Callable[[str], Trained], monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands get the classifier that is there already, so that its graph is traced once."""
    from textapps.tasks import lifecycle

    ready = trained("simple_rnn").classifier

    def load(task: Any, run: Any) -> Any:
        again = copy.copy(ready)
        again.run = run
        return again

    monkeypatch.setattr(lifecycle, "load", load)


VERSE = "the cat sat on the mat;\nthe dog, größer, sat on the log.\n"

TINY_GENERATE = {
    "preset": "tiny",
    "backbone.units": 12,
    "backbone.heads": 2,
    "backbone.context": 9,
    "backbone.dropout": 0.05,
    "model.chunk": 7,
    "training.epochs": 6,
    "training.checkpoint_steps": 27,
    "training.batch_size": 5,
    "training.learning_rate": 0.02,
    "training.warmup_steps": 2,
}


@pytest.fixture(scope="session")
def verses(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A text file that repeats itself."""
    path = tmp_path_factory.mktemp("text") / "verses.txt"
    path.write_text(VERSE * 12, encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def tiny_generate(verses: Path) -> Callable[..., Any]:
    """`tiny_generate("gru", **{"training.epochs": 1})` is a configuration of seconds."""
    from textapps.tasks.generate.config import PRESETS

    def make(kind: str = "gru", **changes: object) -> Any:
        flags = {**TINY_GENERATE, "backbone.kind": kind, "data.source": str(verses)}
        return PRESETS.resolve(flags={**flags, **changes})

    return make


@pytest.fixture(scope="session")
def trained_generator(
    trained_once: Callable[[Any], tuple[Any, Any]], tiny_generate: Callable[..., Any]
) -> Callable[[str], Any]:
    """`trained_generator("gru")` is a finished `TextGenerator` that no test may change."""

    @cache
    def train(kind: str = "gru") -> Any:
        return trained_once(tiny_generate(kind))[0]

    return train


TINY_TRANSLATE = {
    "preset": "tiny",
    "preprocessor.vocabulary_size": 35,
    "preprocessor.max_tokens": 21,
    "backbone.units": 32,
    "backbone.heads": 2,
    "backbone.context": 30,
    "backbone.dropout": 0.02,
    "model.embedding_dropout": 0.02,
    "model.label_smoothing": 0.0,
    "training.epochs": 18,
    "training.batch_size": 190,
    "training.checkpoint_steps": 70,
    "training.learning_rate": 0.01,
    "training.warmup_steps": 10,
}
# One way to attend, one way to write tokens, one way to average each.
TRANSLATORS: dict[str, dict[str, object]] = {
    "simple_rnn": {"training.learning_rate": 0.006, "preprocessor.tokens": "word"},
    "lstm": {
        "backbone.attention": "additive",
        "preprocessor.model": "bpe",
        "preprocessor.vocabulary_size": 60,
    },
    "gru": {"preprocessor.joint": False, "preprocessor.vocabulary_size": 26},
    "transformer": {
        "training.average_last": 2,
        "backbone.feed_forward": 40,
        "model.label_smoothing": 0.05,
    },
}


@pytest.fixture(scope="session")
def toy_pairs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A CSV file of sentences and of their words translated, in reversed order."""
    return write_pairs(tmp_path_factory.mktemp("pairs") / "toy.csv")


@pytest.fixture(scope="session")
def tiny_translate(toy_pairs: Path) -> Callable[..., Any]:
    """`tiny_translate("gru", **{"training.epochs": 1})` is a configuration of seconds."""
    from textapps.tasks.translate.config import PRESETS

    def make(kind: str = "gru", **changes: object) -> Any:
        own = {"backbone.kind": kind, "data.source": str(toy_pairs)}
        return PRESETS.resolve(flags={**TINY_TRANSLATE, **TRANSLATORS[kind], **own, **changes})

    return make


@pytest.fixture(scope="session")
def trained_translator(
    trained_once: Callable[[Any], tuple[Any, Any]], tiny_translate: Callable[..., Any]
) -> Callable[[str], Any]:
    """`trained_translator("gru")` is a finished `Translator` that no test may change."""

    @cache
    def train(kind: str = "gru") -> Any:
        return trained_once(tiny_translate(kind))[0]

    return train


TINY_SPEECH = {
    "preset": "tiny",
    "data.commands": WORDS,
    "preprocessor.sample_rate": RATE_HZ,
    "preprocessor.clip_seconds": CLIP_SECONDS,
    "preprocessor.high_hz": 3_800.0,
    "preprocessor.mels": 14,
    "augmentation.shift_ms": 20,
    "augmentation.time_mask_ms": 20.0,
    "augmentation.frequency_mask": 2,
    "stem.kernel": 3,
    "stem.dropout": 0.05,
    "backbone.units": 16,
    "backbone.heads": 2,
    "backbone.context": 11,
    "backbone.dropout": 0.05,
    "training.epochs": 10,
    "training.checkpoint_steps": 13,
    "training.batch_size": 15,
    "training.learning_rate": 0.02,
    "training.warmup_steps": 5,
    "detection.hop_ms": 60,
    "detection.smoothing_ms": 100,
    "detection.threshold": 0.6,
    "detection.refractory_ms": 300,
}
# One way to pool, one kind of stem and of features each; two of them listen.
RECOGNIZERS: dict[str, dict[str, object]] = {
    "simple_rnn": {"model.pooling": "max", "stem.normalization": "layer"},
    "lstm": {"model.streaming": True, "model.pooling": "max_mean", "preprocessor.kind": "mfcc"},
    "gru": {"stem.channels": 4, "stem.separable": False},
    "transformer": {"model.streaming": True, "backbone.feed_forward": 20},
}


@pytest.fixture(scope="session")
def toy_words(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A table of clips of three commands and two other words, with noise beside it."""
    return write_words(tmp_path_factory.mktemp("words"))


@pytest.fixture(scope="session")
def tiny_speech(toy_words: Path) -> Callable[..., Any]:
    """`tiny_speech("gru", **{"training.epochs": 1})` is a configuration of seconds."""
    from textapps.tasks.speech.config import PRESETS

    def make(kind: str = "gru", **changes: object) -> Any:
        own = {"backbone.kind": kind, "data.source": str(toy_words)}
        return PRESETS.resolve(flags={**TINY_SPEECH, **RECOGNIZERS[kind], **own, **changes})

    return make


@pytest.fixture(scope="session")
def trained_recognizer(
    trained_once: Callable[[Any], tuple[Any, Any]], tiny_speech: Callable[..., Any]
) -> Callable[[str], Any]:
    """`trained_recognizer("gru")` is a finished `SpeechRecognizer` that no test may change."""

    @cache
    def train(kind: str = "gru") -> Any:
        return trained_once(tiny_speech(kind))[0]

    return train
