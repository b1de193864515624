"""What must hold of a trained translator, whatever its backbone."""

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from tests.quick import quick
from tests.tasks.tiny import TRAINED
from tests.tasks.toy_language import ROWS, sentences, translate
from textapps.backbones.registry import BACKBONES
from textapps.core.errors import ConfigurationError
from textapps.core.tokens import BOS, EOS
from textapps.datasets.pairs.loader import load_pairs
from textapps.preprocessing.numbers import PLACEHOLDER
from textapps.tasks.lifecycle import evaluate, write_report
from textapps.tasks.translate.task import TASK

Make = Callable[[str, str], Any]

HARD = {
    "empty": "",
    "white space": " \t\u0085\u2028\n ",
    "emoji": "🎬👍🏽 bab 🐈.",
    "unknown scripts": "这部电影 Прекрасный فيلم चलचित्र",
    "10,000 words": "bab dek gin kos " * 2_500,
    "no UTF-8": b"bab \xff\xfe dek \xc3.".decode("utf-8", "surrogateescape"),
    "NUL": "bab\0dek.",
}
TEXTS = ["bab dek.", *HARD.values(), "gin.", "kos nep dek."]

each_backbone = pytest.mark.parametrize("kind", quick(BACKBONES, "gru", "transformer"))
each_trained = pytest.mark.parametrize("kind", quick(TRAINED["translate"], *TRAINED["translate"]))


@each_trained
def test_it_learns_the_language_and_metrics_json_holds_every_figure(
    trained: Make, kind: str
) -> None:
    translator = trained("translate", kind)
    summary = translator.evaluate()
    metrics = summary.pop("metrics")
    assert summary == {
        "task": "translate",
        "run": translator.run.name,
        "data": "toy",
        "split": "test",
        "examples": ROWS["test"],
    }
    names = {"bleu", "chrf", "seconds", "parameters"}
    if metrics["bleu"] < 99.99:  # else it is the same in every resample
        names |= {"bleu_low", "bleu_high", "chrf_low", "chrf_high"}
        assert metrics["bleu_low"] <= metrics["bleu"] <= metrics["bleu_high"]
    assert set(metrics) == names
    assert metrics["parameters"] == translator.model.count_params()
    run = translator.run.path
    assert json.loads((run / "metrics.json").read_bytes()) == {**summary, "metrics": metrics}
    (test,) = load_pairs(translator.config.data, ("test",))
    assert test.targets == tuple(translate(source) for source in test.sources)
    answers = tuple(answer.translation for answer in translator.predict(test.sources))
    assert sum(one == other for one, other in zip(answers, test.targets, strict=True)) >= 16
    assert metrics["bleu"] > 90
    rows = json.loads((run / "evaluations" / "toy-test-answers.json").read_bytes())
    assert [row["source"] for row in rows] == list(test.sources)
    assert [row["reference"] for row in rows] == list(test.targets)
    assert [row["answer"] for row in rows] == list(answers)


@each_backbone
def test_padding_changes_nothing(untrained: Make, kind: str) -> None:
    model = untrained("translate", kind).model
    source = tf.constant([[7, 5, 9, EOS], [8, EOS, 0, 0]])
    target = tf.constant([[BOS, 6, 5], [BOS, 9, 0]])
    whole = model({"source": source, "target": target})
    wider = model(
        {
            "source": tf.pad(source, [[0, 0], [0, 3]]),
            "target": tf.pad(target, [[0, 0], [0, 2]]),
        }
    )
    alone = model({"source": source[1:, :2], "target": target[1:, :2]})
    np.testing.assert_allclose(wider[:, :3], whole, atol=1e-4, rtol=1e-5)
    np.testing.assert_allclose(alone, whole[1:, :2], atol=1e-4, rtol=1e-5)


@each_backbone
def test_step_by_step_it_is_as_with_all_at_once(untrained: Make, kind: str) -> None:
    """Teacher forcing in training and one token after the other in decoding are the same model."""
    model = untrained("translate", kind).model
    source, target = tf.constant([[7, 5, 9, EOS]]), tf.constant([[BOS, 6, 5, 8, 7]])
    whole = model({"source": source, "target": target})
    memory, state = model.encode_source(source), model.search_state(1, 1)
    for place in range(target.shape[1]):
        logits, state = model.decode_step(target[:, place : place + 1], state, memory=memory)
        np.testing.assert_allclose(logits[:, EOS:], whole[:, place, EOS:], atol=1e-4, rtol=1e-5)
        assert (logits.numpy()[:, :EOS] < -1e8).all()  # is never answered


@each_trained
def test_the_best_answers(trained: Make, kind: str) -> None:
    """Sorted, none better than the first, which no greedy one beats."""
    translator = trained("translate", kind)
    found = translator.n_best(TEXTS, n_best=3, beam=4)
    greedy = translator.predict(TEXTS, beam=1)
    for text, answers, likeliest in zip(TEXTS, found, greedy, strict=True):
        scores = [answer.score for answer in answers]
        assert scores == sorted(scores, reverse=True)
        assert scores[0] >= likeliest.score - 1e-5
        if text.strip():
            assert len(answers) == 3
            assert -20 < scores[-1] < scores[0] < 0
    assert [answers[0].translation for answers in found[-2:]] == ["ugux.", "idix inix ekex."]


@each_backbone
def test_the_best_answers_differ_as_tokens(untrained: Make, kind: str) -> None:
    translator = untrained("translate", kind)
    search, options = translator.search, {"beam": 4, "n_best": 3}
    source = search.encoded(tf.constant(["gin.", "kos nep dek."]))[0]
    config = translator.config.decoding.model_copy(update=options)
    found = search.traced_ids(config)(source, tf.zeros([2], tf.int64))
    for ids, lengths in zip(found.ids.numpy(), found.lengths.numpy(), strict=True):
        assert len({tuple(row[:n]) for row, n in zip(ids, lengths, strict=True)}) == 3


@pytest.mark.parametrize("kind", ["simple_rnn", "lstm"])  # with words, with subwords
def test_an_answer_has_as_many_numbers_as_its_sentence(untrained: Make, kind: str) -> None:
    """Unless it is of the greatest length: these are drawn from nearly equal probabilities."""
    translator = untrained("translate", kind)
    wanted = np.array([1, 0, 2] * 20)
    source, _ = translator.search.encoded(tf.constant(["bab 7.", "gin.", "At 10:30, 1 kos."] * 20))
    config = translator.config.decoding.model_copy(update={"temperature": 100.0})
    found = translator.search.traced_ids(config)(source, tf.range(60, dtype=tf.int64))
    in_token = translator.preprocessor.target.occurrences(PLACEHOLDER)
    count = in_token[found.ids.numpy()[:, 0]].sum(axis=1)
    tokens = np.count_nonzero(source, axis=1) - 1
    longest = (config.max_ratio * tokens).astype(int) + config.max_extra
    assert (count <= wanted).all()
    assert ((count == wanted) | (found.lengths.numpy()[:, 0] == longest)).all()
    assert (count == wanted)[wanted > 0].any()


@each_backbone
def test_hard_texts_are_answered(untrained: Make, kind: str) -> None:
    translator = untrained("translate", kind)
    answers = dict(zip(HARD, translator.predict(list(HARD.values())), strict=True))
    for answer in answers.values():
        assert np.isfinite(answer.score)
    assert answers["empty"].translation == answers["white space"].translation == ""
    assert answers["NUL"].translation == translator.predict(["bab dek."])[0].translation


@each_backbone
def test_a_long_sentence_is_cut_and_its_answer_ends(untrained: Make, kind: str) -> None:
    translator = untrained("translate", kind)
    decoding = translator.config.decoding
    source = translator.search.encoded(tf.constant([HARD["10,000 words"], "bab."]))[0]
    tokens = translator.config.preprocessor.max_tokens
    assert source.shape == (2, tokens + 1)
    found = translator.search.traced_ids(decoding)(source, tf.zeros([2], tf.int64))
    assert int(found.lengths[0, 0]) <= decoding.max_ratio * tokens + decoding.max_extra


@pytest.mark.slow
@each_backbone
def test_drawn_answers_follow_from_their_seeds(untrained: Make, kind: str) -> None:
    translator = untrained("translate", kind)
    texts = [*sentences(3, seed=2), "nep lud."]
    drawn = translator.predict(texts, random_seed=3, temperature=5.0)
    assert translator.predict(texts, random_seed=3, temperature=5.0) == drawn
    other = translator.predict(texts, random_seed=4, temperature=5.0)
    assert other != drawn
    (alone,) = translator.predict([texts[2]], random_seed=5, temperature=5.0)
    assert alone.translation == drawn[2].translation
    assert alone.score == pytest.approx(drawn[2].score, abs=1e-5)


@each_trained
def test_where_answers_looked(trained: Make, kind: str) -> None:
    found = trained("translate", kind).attention("kos nep dek.")
    assert found is not None
    assert (found.source[-1], found.target[-1]) == ("</s>", "</s>")
    assert "".join(found.target[:-1]).replace(" ", "").endswith("ekex.")
    assert found.weights.shape == (len(found.target), len(found.source))
    np.testing.assert_allclose(found.weights.sum(axis=1), 1, atol=1e-5)


def test_a_report_shows_sentences_and_attention(trained: Make) -> None:
    translator = trained("translate", "gru")
    evaluation = evaluate(TASK, translator)
    assert [each.name for each in evaluation.searches] == ["beam of 5", "greedy"]
    path = write_report(TASK, translator, evaluation)
    assert path == translator.run.path / "report.html"
    page = path.read_text(encoding="utf-8")
    assert evaluation.examples.sources[0] in page
    assert evaluation.scored.signatures["bleu"] in page


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"beam": 0}, "beam = 0"),
        ({"length_penalty": -0.1}, "length_penalty = -0.1"),
        ({"n_best": 2, "temperature": 1.0}, "n_best must be 1"),
        ({"beams": 2}, "beams"),
    ],
)
def test_options_out_of_range(untrained: Make, options: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        untrained("translate", "gru").n_best(["bab."], **options)
