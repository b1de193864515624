import itertools
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sacrebleu.metrics import BLEU, CHRF

from textapps.core.errors import ConfigurationError, DataError
from textapps.evaluation.metrics.bootstrap import resampled
from textapps.evaluation.metrics.translation import (
    BLEU_TOKENIZERS,
    ScoredTranslations,
    bleu_tokenizer,
    corpus_bleu,
    translation_by_length,
    translation_metrics,
)

sentences = st.lists(
    st.sampled_from(["a", "man", "sofa", "sleeps", ".", "Größe", "两", "只", "狗"]), max_size=9
)
pairs = st.lists(
    st.tuples(sentences.map(" ".join), sentences.map(" ".join)), min_size=1, max_size=7
)


def corrupted(n, seed=3):
    """Answers of which the longer ones are worse, with sources and references."""
    random = np.random.default_rng(seed)
    references, answers = [], []
    for length in random.integers(4, 20, n):
        words = [f"w{i}" for i in random.integers(0, 300, length)]
        right = random.random(length) > length / 40
        references.append(" ".join(words))
        answers.append(" ".join(w if ok else "q" for w, ok in zip(words, right, strict=True)))
    return references, answers


@given(pairs, st.sampled_from(BLEU_TOKENIZERS))
def test_as_sacrebleu_has_it(both, cut):
    answers, references = ([*side] for side in zip(*both, strict=True))
    scored = ScoredTranslations(answers, references, cut)
    bleu, chrf = BLEU(tokenize=cut, force=True), CHRF()
    expected = bleu.corpus_score(answers, [references])
    found = scored.figures()
    assert found["bleu"] == pytest.approx(expected.score, abs=1e-9)
    assert found["chrf"] == pytest.approx(chrf.corpus_score(answers, [references]).score, abs=1e-9)
    assert corpus_bleu(answers, references, cut) == expected.score
    assert scored.signatures == {
        "bleu": str(bleu.get_signature()),
        "chrf": str(chrf.get_signature()),
    }
    assert scored.lengths.sum(axis=0).tolist() == [expected.sys_len, expected.ref_len]
    single = BLEU(tokenize=cut, effective_order=True)
    for i, (answer, reference) in enumerate(both):
        assert scored.sentence_bleu[i] == single.sentence_score(answer, [reference]).score
        assert scored.sentence_chrf[i] == chrf.sentence_score(answer, [reference]).score


@given(pairs, st.integers(0, 9))
def test_a_resampled_corpus_is_one_with_sentences_repeated(both, seed):
    answers, references = ([*side] for side in zip(*both, strict=True))
    (counts,) = resampled(len(both), 1, seed)
    repeated = (
        [s for s, n in zip(side, counts, strict=True) for _ in range(int(n))]
        for side in (answers, references)
    )
    assert (
        ScoredTranslations(answers, references).figures(counts)
        == ScoredTranslations(*repeated).figures()
    )


def test_bleu_by_hand():
    """Right are 5 of 6 tokens, 3 of 5 pairs, 1 of 4 triples and none, which counts half, of 3."""
    scored = ScoredTranslations(["a b c x d e"], ["a b c d e y"], tokenizer="none")
    precisions = [5 / 6, 3 / 5, 1 / 4, 1 / 2 / 3]
    assert scored.figures()["bleu"] == pytest.approx(100 * np.prod(precisions) ** 0.25)
    shorter = ScoredTranslations(["a b c d"], ["a b c d e"], tokenizer="none")
    assert shorter.figures()["bleu"] == pytest.approx(100 * np.exp(1 - 5 / 4))
    assert shorter.length_ratio() == 4 / 5


def test_metrics_have_intervals_that_follow_from_the_seed():
    references, answers = corrupted(150)
    scored = ScoredTranslations(answers, references)
    metrics = translation_metrics(scored, resamples=60)
    assert list(metrics) == [
        f"{name}{end}" for name in ("bleu", "chrf") for end in ("", "_low", "_high")
    ]
    for name in ("bleu", "chrf"):
        assert metrics[f"{name}_low"] < metrics[name] < metrics[f"{name}_high"]
    assert metrics == translation_metrics(scored, resamples=60)
    assert metrics != translation_metrics(scored, resamples=60, seed=1)
    assert translation_metrics(scored, resamples=0) == scored.figures()


def test_of_translations_that_are_all_right_no_interval_can_be_told():
    references, _ = corrupted(9)
    metrics = translation_metrics(ScoredTranslations(references, references), resamples=20)
    assert metrics == pytest.approx({"bleu": 100, "chrf": 100})


def test_intervals_are_narrower_the_more_sentences_there_are():
    references, answers = corrupted(800)
    widths = []
    for n in (50, 800):
        metrics = translation_metrics(
            ScoredTranslations(answers[:n], references[:n]), resamples=150
        )
        widths.append(metrics["bleu_high"] - metrics["bleu_low"])
    assert widths[0] / widths[1] == pytest.approx(4, rel=0.3)


def test_by_length():
    references, answers = corrupted(200)
    sources = ["x " * (len(reference.split()) - 1) for reference in references]
    rows = translation_by_length(sources, ScoredTranslations(answers, references), groups=3)
    assert sum(row.examples for row in rows) == 200
    assert rows[0].shortest == 3
    assert rows[-1].longest == 18
    assert all(a.longest < b.shortest for a, b in itertools.pairwise(rows))
    assert rows[0].bleu > rows[1].bleu > rows[2].bleu
    for row in rows:
        inside = [
            i
            for i, source in enumerate(sources)
            if row.shortest <= len(source.split()) <= row.longest
        ]
        part = ScoredTranslations([answers[i] for i in inside], [references[i] for i in inside])
        assert len(part) == row.examples
        assert {"bleu": row.bleu, "chrf": row.chrf} == part.figures()
        assert row.low < row.bleu < row.high
        assert row.length_ratio == 1


@pytest.mark.parametrize(
    ("references", "cut"),
    [
        (["Ein Ball.", "两"], "13a"),
        (["两只狗在跑。", "他叫 Tom。"], "zh"),
        (["犬が走っている。", "これは本です。"], "char"),
        (["", " "], "13a"),
        (["Собака бежит."], "13a"),
    ],
)
def test_how_the_references_are_to_be_cut(references, cut):
    assert bleu_tokenizer(references) == cut


def test_chinese_is_not_evaluated_by_whole_sentences():
    answers, references = ["两只狗在跑。"], ["两只猫在跑。"]
    assert corpus_bleu(answers, references) == 0
    assert corpus_bleu(answers, references, bleu_tokenizer(references)) > 20


def test_refuses_what_cannot_be_scored():
    with pytest.raises(DataError, match="2 translations but 1 references"):
        ScoredTranslations(["a", "b"], ["a"])
    with pytest.raises(DataError, match="no sentences"):
        ScoredTranslations([], [])
    with pytest.raises(
        ConfigurationError, match=r"unknown BLEU tokenizer 'zhh'.* did you mean 'zh'"
    ):
        ScoredTranslations(["a"], ["a"], "zhh")


def test_sacrebleu_is_imported_late():
    code = "import sys, textapps.evaluation.reports.translation; print('sacrebleu' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
