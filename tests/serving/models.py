"""Tiny SavedModels, made with plain TensorFlow, whose answers can be worked out by hand.

Each function writes one into a directory, which need not exist. `publish` makes it appear at
once, as an export does.
"""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from textapps.savedmodel.manifest import checksums

# What the generator repeats for ever: of one, two, three and four bytes in UTF-8.
ALPHABET = "abcdefg äöß\n漢字🎬xyz"
LABELS = ("bad", "good")
EXAMPLES = [
    {"inputs": {"text": f"A {'very ' * number}{label} film."}, "expected": {"label": label}}
    for label in LABELS
    for number in (0, 1, 2, 3)
]
COMMANDS = ("no", "yes", "stop")


def publish(write: Callable[[Path], Any], directory: Path, *arguments: Any) -> Path:
    """Have `write` make a model beside `directory`, then rename it there."""
    aside = directory.with_name(f".aside-{directory.name}")
    write(aside, *arguments)
    return aside.rename(directory)


def copy(model: Path, directory: Path) -> Path:
    """A finished copy of a model appears at `directory`."""
    directory.parent.mkdir(parents=True, exist_ok=True)
    return publish(lambda aside: shutil.copytree(model, aside), directory)


def lengths(directory: Path, plus: int = 0) -> Path:
    """`text` → `length` in bytes, and `plus`; refuses the text "bad"."""

    def length(text):
        refuse = tf.debugging.assert_none_equal(text, "bad", message="a bad text")
        with tf.control_dependencies([refuse]):
            return {"length": tf.strings.length(text) + plus}

    return _save(directory, serving_default=(length, text_spec("text")))


def letters(directory: Path) -> Path:
    """`text` → `letters`, as many columns as the longest text has characters."""

    def cut(text):
        return {"letters": tf.strings.unicode_split(text, "UTF-8").to_tensor("")}

    return _save(directory, serving_default=(cut, text_spec("text")))


def sums(directory: Path) -> Path:
    """Numbers: `ids` int32[batch, time], `weights` float32[batch, 3] → `total`, `doubled`.

    `whole` has no batch: `number` float32[] → `square` float32[]. `together` gives one row
    however many it takes, though its shapes do not say so.
    """

    def default(ids, weights):
        total = tf.cast(tf.reduce_sum(ids, -1), tf.float32) + tf.reduce_sum(weights, -1)
        return {"total": total, "doubled": 2 * ids}

    def together(number):
        return {"total": tf.reduce_sum(number, keepdims=True) * tf.ones_like(number)[:1]}

    return _save(
        directory,
        serving_default=(
            default,
            tf.TensorSpec([None, None], tf.int32, "ids"),
            tf.TensorSpec([None, 3], tf.float32, "weights"),
        ),
        whole=(lambda number: {"square": number**2}, tf.TensorSpec([], tf.float32, "number")),
        together=(together, tf.TensorSpec([None], tf.float32, "number")),
    )


def scalar(directory: Path) -> Path:
    """`text` string[] → `upper` string[]; `columns` `text` string[batch, 1] → `lengths`."""
    return _save(
        directory,
        serving_default=(
            lambda text: {"upper": tf.strings.upper(text)},
            tf.TensorSpec([], tf.string, "text"),
        ),
        columns=(
            lambda text: {"lengths": tf.strings.length(text)},
            tf.TensorSpec([None, 1], tf.string, "text"),
        ),
    )


def failing(directory: Path) -> Path:
    """`text` → `content` of a file of that name, and `number` → `doubled`."""

    def read(text, number):
        return {"content": tf.io.read_file(text[0])[None], "doubled": 2 * number}

    return _save(
        directory,
        serving_default=(read, text_spec("text"), tf.TensorSpec([None], tf.float32, "number")),
    )


def zeros(directory: Path) -> Path:
    """`count` int32[batch] → `zeros` float32[batch, largest count]."""

    def fill(count):
        return {"zeros": tf.zeros([tf.size(count), tf.reduce_max(count)])}

    return _save(directory, serving_default=(fill, tf.TensorSpec([None], tf.int32, "count")))


def compiled(directory: Path) -> Path:
    """`x` → `y`, twice of it, with a form that is compiled; `rows` of that are those of its calls.

    The manifest says that it is for calls of 1 and of 3 rows.
    """

    def double(x):
        return {"y": x + x, "rows": tf.zeros_like(x)}

    @tf.function(jit_compile=True)
    def double_compiled(x):
        return {"y": x + x, "rows": tf.zeros_like(x) + tf.cast(tf.size(x), tf.float32)}

    spec = tf.TensorSpec([None], tf.float32, "x")
    _save(
        directory,
        serving_default=(double, spec),
        serving_default_compiled=(double_compiled, spec),
    )
    form = {"signature": "serving_default_compiled", "rows": [1, 3]}
    return manifest(directory, task="generate", compiled={"serving_default": form})


def dependent(directory: Path, kind: str) -> Path:
    """`number` float32[batch] → `answer`, which depends on the whole batch: see `DEPENDENT`."""
    function = {
        "mean": lambda number: number - tf.reduce_mean(number),
        "rank": lambda number: tf.cast(tf.argsort(tf.argsort(number)), tf.float32),
        "sum": lambda number: tf.cumsum(number),
        "size": lambda number: number + tf.cast(tf.size(number), tf.float32),
        "reverse": lambda number: number[::-1],
    }[kind]
    spec = tf.TensorSpec([None], tf.float32, "number")
    return _save(directory, serving_default=(lambda number: {"answer": function(number)}, spec))


# What `dependent` says, by its kind.
DEPENDENT: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "mean": lambda number: number - number.mean(),
    "rank": lambda number: number.argsort(kind="stable").argsort(kind="stable"),
    "sum": np.cumsum,
    "size": lambda number: number + number.size,
    "reverse": lambda number: number[::-1],
}


def sleeper(directory: Path) -> Path:
    """`seconds` float32[batch] → `slept`, the same, after so many seconds (of the slowest)."""

    def sleep(seconds):
        until = tf.timestamp() + tf.cast(tf.reduce_max(seconds), tf.float64)
        waited = tf.while_loop(
            lambda _: tf.timestamp() < until, lambda count: [count + 1], [tf.constant(0)]
        )
        with tf.control_dependencies(waited):
            return {"slept": tf.identity(seconds)}

    return _save(directory, serving_default=(sleep, tf.TensorSpec([None], tf.float32, "seconds")))


def typed(directory: Path) -> Path:
    """The echo of `<dtype>` of each of many data types, and of `image_bytes`."""
    dtypes = ("bool", "uint8", "int8", "int64", "uint64", "float16", "float64", "bfloat16")
    specs = [tf.TensorSpec([None, 2], dtype, dtype) for dtype in dtypes]
    specs.append(text_spec("image_bytes"))

    def echo(**tensors):
        return {f"echo_{name}": tf.identity(tensor) for name, tensor in tensors.items()}

    return _save(directory, serving_default=(echo, *specs))


# The data types for which TensorFlow Serving has JSON.
DTYPES = ("bool", "int8", "int16", "int32", "int64", "uint8", "uint32", "uint64", "float32")


def echo(directory: Path) -> Path:
    """`x` of any shape → `y`, the same, in a signature for each of many data types.

    `bytes` gives strings as `y_bytes`; `rare` echoes numbers of types that JSON has seldom.
    """

    def same(x):
        return {"y": tf.identity(x)}

    def rare(**tensors):
        return {f"{name}_again": tf.identity(tensor) for name, tensor in tensors.items()}

    signatures = {
        dtype: (same, tf.TensorSpec(None, dtype, "x")) for dtype in (*DTYPES, "float64", "string")
    }
    return _save(
        directory,
        **signatures,
        serving_default=signatures["float32"],
        bytes=(lambda x: {"y_bytes": tf.identity(x)}, tf.TensorSpec(None, tf.string, "x")),
        rare=(rare, *(tf.TensorSpec(None, d, d) for d in ("float16", "bfloat16", "uint16"))),
    )


def classifier(directory: Path) -> Path:
    """As an export of `sentiment`: the share of the words that are "good", of all and one more.

    `explain` gives 1 to each word that says the label, -1 to each that says the other. Words are
    one space apart.
    """

    def classify(text):
        words = tf.strings.split(tf.strings.lower(text))
        good = tf.reduce_sum(tf.cast(words == "good", tf.float32), -1)
        bad = tf.reduce_sum(tf.cast(words == "bad", tf.float32), -1)
        scores = tf.stack([bad + 1, good + 1], -1) / (good + bad + 2)[:, None]
        return _labelled(scores, LABELS)

    def explain(text, label):
        words = tf.strings.split(tf.strings.lower(text))
        label = tf.where(label == "", classify(text)["label"], label)
        known = tf.reduce_any(words.flat_values[:, None] == tf.constant(LABELS), axis=1)
        same = words.flat_values == tf.gather(label, words.value_rowids())
        shares = tf.where(same, 1.0, tf.where(known, -1.0, 0.0))
        length = words.with_flat_values(tf.strings.length(words.flat_values))
        ends = tf.cumsum(length.to_tensor() + 1, axis=1) - 1
        valid = length.to_tensor() > 0
        total = tf.reduce_sum(words.with_flat_values(shares).to_tensor(), axis=1)
        return {
            "label": label,
            "tokens": words.to_tensor(),
            "begins": tf.where(valid, ends - length.to_tensor(), 0),
            "ends": tf.where(valid, ends, 0),
            "attributions": words.with_flat_values(shares).to_tensor(),
            "difference": total,
            "completeness_error": 0 * total,
        }

    _save(
        directory,
        serving_default=(classify, text_spec("text")),
        explain=(explain, text_spec("text"), text_spec("label")),
    )
    return manifest(
        directory,
        task="sentiment",
        labels=LABELS,
        data="toy",
        exported="2026-07-09T23:30:00+00:00",
        metrics={"accuracy": 0.8125, "accuracy_low": 0.75, "accuracy_high": 0.875},
        examples=EXAMPLES,
    )


def generator(directory: Path) -> Path:
    """As an export of `generate`: goes on with `ALPHABET`, from `random_seed` + bytes of seed.

    Its `continue` refuses a length of 13. Each character hangs on the one before it, half as much
    on the one before that, and surprises by ln 2 nats, the first one by nothing.
    """
    repeated = tf.constant(ALPHABET * 500)
    state = tf.TensorSpec([None, 1], tf.int32, "state_0_h")
    position = tf.TensorSpec([None], tf.int32, "position")
    logits = tf.TensorSpec([None, 5], tf.float32, "logits")
    options = [
        tf.TensorSpec([None], dtype, name)
        for name, dtype in {
            "length": tf.int32,
            "temperature": tf.float32,
            "top_k": tf.int32,
            "top_p": tf.float32,
            "repetition_penalty": tf.float32,
            "random_seed": tf.int64,
        }.items()
    ]

    def pieces(start, length):
        everything = tf.fill(tf.shape(start), repeated)
        return tf.strings.substr(everything, start % len(ALPHABET), length, unit="UTF8_CHAR")

    def start(seed):
        begin = tf.strings.length(seed)
        return {
            "logits": tf.zeros([tf.size(begin), 5]),
            "state_0_h": begin[:, None],
            "position": tf.zeros_like(begin),
        }

    def go_on(logits, state_0_h, position, length, random_seed, **_):
        refuse = tf.debugging.assert_none_equal(length, 13, message="an unlucky length")
        with tf.control_dependencies([refuse]):
            begin = state_0_h[:, 0] + position + tf.cast(random_seed, tf.int32)
        return {
            "text": pieces(begin, length),
            "logits": logits + 1,
            "state_0_h": tf.identity(state_0_h),
            "position": position + length,
        }

    def generate(seed, length, random_seed, **_):
        return {"text": pieces(tf.strings.length(seed) + tf.cast(random_seed, tf.int32), length)}

    def default(seed):
        begin = tf.strings.length(seed)
        return {"text": pieces(begin, tf.fill(tf.shape(begin), 50))}

    def score(text):
        characters = tf.strings.length(text, unit="UTF8_CHAR")
        return {
            "log_likelihood": -tf.cast(characters, tf.float32),
            "characters": characters,
        }

    def explain(text):
        characters = tf.strings.unicode_split(text, "UTF-8").to_tensor("")
        size = tf.shape(characters)[1]
        back = tf.range(size)[:, None] - tf.range(size)
        gradients = tf.where(back == 1, 1.0, tf.where(back == 2, 0.5, 0.0))
        valid = characters != ""
        return {
            "characters": characters,
            "begin": tf.zeros_like(tf.strings.length(text)),
            "surprise": tf.where(valid & (tf.range(size) > 0), np.log(2).astype("float32"), 0),
            "gradients": tf.where(valid[:, :, None], gradients, 0),
        }

    _save(
        directory,
        **{
            "serving_default": (default, text_spec("seed")),
            "explain": (explain, text_spec("text")),
            "generate": (generate, text_spec("seed"), *options),
            "score": (score, text_spec("text")),
            "start": (start, text_spec("seed")),
            "continue": (go_on, logits, state, position, *options),
        },
    )
    decoding = {"length": 50, "temperature": 0.8, "top_k": 0, "top_p": 1.0}
    return manifest(
        directory,
        task="generate",
        state=["state_0_h"],
        decoding={**decoding, "repetition_penalty": 1.0},
    )


def continued(seed: str, length: int, random_seed: int = 0, position: int = 0) -> str:
    """What the generator says."""
    begin = (len(seed.encode()) + random_seed + position) % len(ALPHABET)
    return (ALPHABET * (length // len(ALPHABET) + 2))[begin : begin + length]


def translator(directory: Path) -> Path:
    """As an export of `translate`: upper case; `n_best` is that, the same, lower case and none.

    Each word looks at itself with 0.75, and at the end of the sentence.
    """

    def translate(source):
        return {
            "translation": tf.strings.upper(source),
            "score": -tf.cast(tf.strings.length(source), tf.float32),
        }

    def n_best(source):
        nothing = tf.strings.substr(source, 0, 0)
        translations = [tf.strings.upper(source), source, tf.strings.lower(source), nothing]
        length = tf.cast(tf.strings.length(source), tf.float32)
        return {
            "translations": tf.stack(translations, -1),
            "scores": tf.stack([-length, -2 * length, -3 * length, 0 * length - 1e9], -1),
        }

    def explain(source, translation):
        made = tf.where(translation == "", tf.strings.upper(source), translation)
        pieces = []
        for each in (source, made):
            words = tf.strings.split(each)
            words = words.with_flat_values(tf.strings.join([" ", words.flat_values]))
            ends = tf.fill([words.nrows(), 1], "</s>")
            pieces.append(tf.concat([words, ends], axis=1).to_tensor())
        rows, columns = (tf.range(tf.shape(each)[1]) for each in pieces[::-1])
        own = tf.where(rows[:, None] == columns, 0.75, 0.0)
        own += tf.where(columns == columns[-1], 1 - tf.reduce_sum(own, axis=1)[:, None], 0)
        attention = tf.tile(own[None], [tf.shape(source)[0], 1, 1])
        return {
            "source_pieces": pieces[0],
            "target_pieces": pieces[1],
            "attention": attention,
        }

    text = text_spec("source")
    _save(
        directory,
        serving_default=(translate, text),
        n_best=(n_best, text),
        explain=(explain, text, text_spec("translation")),
    )
    return manifest(directory, task="translate")


def speech(directory: Path) -> Path:
    """As an export of `speech`: the command is the number of bytes modulo 3; needs "RIFF".

    The low half of the first 0.1 s supports it, the high half of the next 0.1 s opposes it.
    """

    def recognise(audio_bytes):
        good = tf.strings.regex_full_match(tf.strings.substr(audio_bytes, 0, 4), "RIFF")
        scores = tf.one_hot(tf.strings.length(audio_bytes) % 3, 3)
        answer = _labelled(scores, COMMANDS)
        return {
            "label": tf.where(good, answer["label"], ""),
            "probability": tf.where(good, answer["probability"], 0.0),
            "scores": tf.where(good[:, None], scores, 0.0),
            "error": tf.where(good, "", "not a WAV file"),
        }

    def explain(audio_bytes):
        heard = recognise(audio_bytes)
        rows = tf.where(heard["error"] == "", 1.0, 0.0)[:, None]
        return {
            "label": heard["label"],
            "attributions": rows[:, :, None] * [[2.0, 0.0], [0.0, -1.0]],
            "begin_ms": rows * [0.0, 100.0],
            "end_ms": rows * [100.0, 200.0],
            "low_hz": rows * [0.0, 4_000.0],
            "high_hz": rows * [4_000.0, 8_000.0],
            "error": heard["error"],
        }

    audio = text_spec("audio_bytes")
    _save(directory, serving_default=(recognise, audio), explain=(explain, audio))
    return manifest(directory, task="speech", labels=COMMANDS, sample_rate_hz=16_000)


def text_spec(name: str) -> tf.TensorSpec:
    return tf.TensorSpec([None], tf.string, name)


def manifest(directory: Path, **fields: Any) -> Path:
    """Write assets.extra/textapps.json with these fields."""
    path = directory / "assets.extra" / "textapps.json"
    path.parent.mkdir(exist_ok=True)
    named = {"format": 1, "name": directory.parent.name, **fields}
    path.write_text(json.dumps({**named, "sha256": checksums(directory)}))
    return directory


def strings(*values: Any) -> np.ndarray:
    """A vector of str or bytes, as the server handles them."""
    array = np.empty(len(values), dtype=object)
    array[:] = values
    return array


def _labelled(scores, labels):
    best = tf.argmax(scores, -1)
    return {
        "label": tf.gather(tf.constant(labels), best),
        "probability": tf.reduce_max(scores, -1),
        "scores": scores,
    }


def _save(directory: Path, **signatures: tuple[Any, ...]) -> Path:
    """Write signatures given as a function and the specs of its inputs."""
    module = tf.Module()
    traced = {}
    for name, (function, *specs) in signatures.items():
        by_name = {spec.name: spec for spec in specs}
        traced[name] = tf.function(function, autograph=False).get_concrete_function(**by_name)
    tf.saved_model.save(module, str(directory), signatures=traced)
    return directory
