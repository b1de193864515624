"""The export of a translator: verified, and asked from a process of plain TensorFlow and Text."""

import json
import os
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests import processes
from tests.quick import quick
from textapps.backbones.registry import BACKBONES
from textapps.decoding.hypotheses import IMPOSSIBLE
from textapps.savedmodel.manifest import read_manifest
from textapps.tasks.translate.export import N_BEST, TEXTS

Make = Callable[[str, str], Any]
VERIFIED = "transformer"
ASKED = [*TEXTS, "bab dek.", "kos nep dek.", "bab " * 10_000]

# What a client of any TensorFlow server does: it knows names, and no textapps.
CLIENT = """
import json, sys
sys.modules["textapps"] = None
import tensorflow as tf
import tensorflow_text  # for the operations of subwords

given = json.load(sys.stdin)
signatures = tf.saved_model.load(given["directory"]).signatures
ask = signatures["serving_default"]
best = ask(source=tf.constant(given["texts"]))
several = signatures["n_best"](source=tf.constant(given["texts"]))
answers = {
    "translation": [text.decode() for text in best["translation"].numpy()],
    "score": best["score"].numpy().tolist(),
    "translations": [[t.decode() for t in row] for row in several["translations"].numpy()],
    "scores": several["scores"].numpy().tolist(),
    "alone": [
        ask(source=tf.constant([text]))["translation"][0].numpy().decode()
        for text in given["texts"]
    ],
}
json.dump(answers, sys.stdout)
"""


@pytest.fixture(scope="module")
def answers(exported: Callable[..., Path]) -> Callable[[str], Any]:
    """What the export of a backbone answers to `ASKED`, in a process that has no textapps."""

    @cache
    def ask(kind: str) -> Any:
        child = processes.run(
            [sys.executable, "-I", "-c", CLIENT],
            input=json.dumps({"directory": str(exported("translate", kind)), "texts": ASKED}),
            capture_output=True,
            encoding="utf-8",
            env={**os.environ, "CUDA_VISIBLE_DEVICES": ""},
        )
        assert child.returncode == 0, child.stderr[-2000:]
        return json.loads(child.stdout)

    return ask


each_kind = pytest.mark.parametrize("kind", quick(BACKBONES, "simple_rnn", "transformer"))


@each_kind
def test_it_answers_as_the_run_does(
    answers: Callable[[str], Any], untrained: Make, kind: str
) -> None:
    found, translator = answers(kind), untrained("translate", kind)
    expected = translator.predict(ASKED)
    assert found["translation"] == found["alone"] == [each.translation for each in expected]
    np.testing.assert_allclose(found["score"], [each.score for each in expected], atol=1e-5)


@each_kind
def test_the_best_ones_come_in_their_order(
    answers: Callable[[str], Any], untrained: Make, kind: str
) -> None:
    found, translator = answers(kind), untrained("translate", kind)
    columns = (found["translations"], found["scores"], translator.n_best(ASKED, n_best=N_BEST))
    for text, translations, scores, expected in zip(ASKED, *columns, strict=True):
        count = len(expected)
        assert len(translations) == len(scores) == N_BEST
        assert count == (N_BEST if text.strip() else 1)
        assert translations[:count] == [each.translation for each in expected]
        np.testing.assert_allclose(
            scores[:count], [e.score for e in expected], rtol=1e-5, atol=1e-5
        )
        assert scores == sorted(scores, reverse=True)
        assert scores[count:] == [pytest.approx(IMPOSSIBLE)] * (N_BEST - count)
        assert "".join(translations[count:]) == ""


def test_what_the_manifest_says(exported: Callable[..., Path], untrained: Make) -> None:
    manifest = read_manifest(exported("translate", VERIFIED))
    assert (manifest.task, manifest.name, manifest.backbone) == (
        "translate",
        "tiny-transformer",
        "transformer",
    )
    assert manifest.decoding == untrained("translate", VERIFIED).config.decoding.model_dump()
    shapes = {
        name: (
            {key: each.shape for key, each in signature.inputs.items()},
            {key: each.shape for key, each in signature.outputs.items()},
        )
        for name, signature in manifest.signatures.items()
    }
    one, several = (None,), (None, N_BEST)
    assert shapes == {
        "serving_default": ({"source": one}, {"translation": one, "score": one}),
        "n_best": ({"source": one}, {"translations": several, "scores": several}),
        "length": ({"source": one}, {"tokens": one, "max_tokens": one}),
        "explain": (
            {"source": one, "translation": one},
            {
                "source_pieces": (None, None),
                "target_pieces": (None, None),
                "attention": (None, None, None),
            },
        ),
    }
    warmup = exported("translate", VERIFIED) / "assets.extra" / "tf_serving_warmup_requests"
    assert warmup.stat().st_size > 0


def test_words_need_no_tensorflow_text(exported: Callable[..., Path]) -> None:
    """The operations of subwords are in the exports that have subwords alone."""
    words, subwords = (
        (exported("translate", kind) / "saved_model.pb").read_bytes()
        for kind in ("simple_rnn", "transformer")
    )
    assert b"Sentencepiece" in subwords
    assert b"Sentencepiece" not in words
