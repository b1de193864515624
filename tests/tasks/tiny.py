"""Data and configurations of all tasks that take seconds."""

import csv
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.quick import quick
from tests.tasks.toy_language import write_pairs
from tests.tasks.toy_words import CLIP_SECONDS, RATE_HZ, WORDS, write_words
from textapps.backbones.registry import BACKBONES
from textapps.core.names import TASKS
from textapps.tasks.registry import get_presets

# Names that trip over quoting, encodings and numbers; in the order of the scores.
LABELS = ("0", "größer als", 'so "la, la"')
TELLING = (("dull", "awful"), ("fine", "great", "映画"), ("meh", "so-so"))
FILLERS = ("the", "film", "was", "a", "night", "of", "it")
OPINIONS = {"train": 94, "validation": 9, "test": 12}
VERSE = "the cat sat on the mat;\nthe dog, größer, sat on the log.\n"

TINY: dict[str, dict[str, object]] = {
    "sentiment": {
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
    },
    "generate": {
        "preset": "tiny",
        "backbone.units": 12,
        "backbone.heads": 2,
        "backbone.context": 9,
        "backbone.dropout": 0.05,
        "model.chunk": 7,
        "decoding.length": 61,
        "training.epochs": 6,
        "training.checkpoint_steps": 27,
        "training.batch_size": 5,
        "training.learning_rate": 0.02,
        "training.warmup_steps": 2,
    },
    "translate": {
        "preset": "tiny",
        "preprocessor.vocabulary_size": 35,
        "preprocessor.copy_numbers": False,
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
    },
    "speech": {
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
    },
}
# So that every option is met with some backbone.
BY_BACKBONE: dict[str, dict[str, dict[str, object]]] = {
    # With n-grams beside the backbone, with other activations.
    "sentiment": {
        "jordan": {"backbone.activation": "leaky_relu"},
        "lstm": {"model.ngrams": 2},
        "gru": {"backbone.activation": "relu"},
        "transformer": {"model.ngrams": 2},
    },
    # Two blocks, each with a state; other activations; a text of more than one piece.
    "generate": {
        "simple_rnn": {"backbone.activation": "leaky_relu", "decoding.length": 300},
        "jordan": {"backbone.activation": "sigmoid"},
        "gru": {"backbone.layers": 2},
    },
    # One way to attend, one way to write tokens, one way to average each.
    "translate": {
        "simple_rnn": {
            "backbone.layers": 2,
            "preprocessor.tokens": "word",
            "preprocessor.copy_numbers": True,
        },
        "jordan": {"backbone.attention": "dot"},
        "lstm": {
            "backbone.activation": "leaky_relu",
            "backbone.attention": "additive",
            "preprocessor.model": "bpe",
            "preprocessor.vocabulary_size": 61,
            "preprocessor.copy_numbers": True,
            "decoding.no_repeat_ngram_size": 3,
            "decoding.repetition_penalty": 1.1,
        },
        "gru": {"preprocessor.joint": False, "preprocessor.vocabulary_size": 26},
        "transformer": {
            "backbone.layers": 1,
            "training.epochs": 24,
            "training.average_last": 2,
            "backbone.feed_forward": 40,
            "model.label_smoothing": 0.05,
        },
    },
    # One way to pool, one kind of stem and of features each; two of them listen.
    "speech": {
        "simple_rnn": {"model.pooling": "max", "stem.normalization": "layer"},
        "lstm": {"model.streaming": True, "model.pooling": "max_mean", "preprocessor.kind": "mfcc"},
        "jordan": {"model.pooling": "mean", "backbone.activation": "relu"},
        "gru": {"stem.channels": 4, "stem.separable": False, "backbone.activation": "sigmoid"},
        "transformer": {"model.streaming": True, "backbone.feed_forward": 20},
    },
}
# What tests train: the Transformer and one recurrent backbone of each task, each of them once.
TRAINED = {
    "sentiment": ("simple_rnn", "transformer"),
    "generate": ("lstm", "transformer"),
    "translate": ("gru", "transformer"),
    "speech": ("lstm", "transformer"),
}
each_kind = pytest.mark.parametrize("kind", quick(BACKBONES, "gru", "transformer"))
PAIRS = [(task, kind) for task in TASKS for kind in BACKBONES]


def tiny_config(task: str, kind: str, source: Path, **changes: object) -> Any:
    """A configuration of a task, with `changes` by dotted key."""
    own = {"backbone.kind": kind, "data.source": str(source)}
    flags = {**TINY[task], **BY_BACKBONE[task].get(kind, {}), **own, **changes}
    return get_presets(task).resolve(flags=flags)


def write_opinions(path: Path, seed: int = 3) -> Path:
    """A CSV file of texts in which one word tells the class, a third of each, with splits."""
    draw = random.Random(seed)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["text", "label", "split"])
        for split, count in OPINIONS.items():
            for number in range(count):
                words = draw.choices(FILLERS, k=draw.randrange(2, 9))
                words.insert(draw.randrange(len(words)), draw.choice(TELLING[number % 3]))
                writer.writerow([" ".join(words), LABELS[number % 3], split])
    return path


def write_verses(path: Path) -> Path:
    """A text that repeats itself."""
    path.write_text(VERSE * 12, encoding="utf-8")
    return path


WRITERS: dict[str, Callable[[Path], Path]] = {
    "sentiment": lambda folder: write_opinions(folder / "opinions.csv"),
    "generate": lambda folder: write_verses(folder / "verses.txt"),
    "translate": lambda folder: write_pairs(folder / "toy.csv"),
    "speech": write_words,
}
