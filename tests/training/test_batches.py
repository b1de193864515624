import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from textapps.training.batches import TextBatchSource
from textapps.training.plan import LengthGroupedPlan, SequentialPlan


def make(texts, labels=None, batch_size=3, **options):
    splits = np.cumsum([0, *map(len, texts)])
    ids = np.array([i for text in texts for i in text], np.int32)
    labels = np.arange(len(texts), dtype=np.int32) if labels is None else labels
    lengths = np.diff(splits)
    plan = SequentialPlan(lengths, batch_size)
    return TextBatchSource({"ids": (ids, splits)}, labels, plan, **options)


def test_pads_on_the_right_to_the_longest_of_the_batch():
    inputs, labels, weights = make([[1, 2], [], [3, 4, 5, 6]]).batch(0, 0)
    assert inputs["ids"].tolist() == [[0, 0, 0, 0], [1, 2, 0, 0], [3, 4, 5, 6]]
    assert labels.tolist() == [1, 0, 2]
    assert weights.tolist() == [1, 1, 1]
    assert (inputs["ids"].dtype, labels.dtype, weights.dtype) == (np.int32, np.int32, np.float32)


def test_several_sequences_of_a_text_are_padded_each_to_its_own_length():
    splits = np.array([0, 2, 3])
    other = (np.arange(1, 8, dtype=np.int32), np.array([0, 1, 7]))
    ids = (np.array([5, 6, 7], np.int32), splits)
    labels = np.array([1, 0], np.int32)
    source = TextBatchSource({"ids": ids, "other": other}, labels, SequentialPlan([2, 1], 2))
    inputs, labels, _ = source.batch(0, 0)
    assert inputs["ids"].tolist() == [[7, 0], [5, 6]]
    assert inputs["other"].tolist() == [[2, 3, 4, 5, 6, 7], [1, 0, 0, 0, 0, 0]]
    assert labels.tolist() == [0, 1]
    assert set(source.signature[0]) == {"ids", "other"}


def test_empty_texts_alone_still_have_one_position():
    assert make([[], []]).batch(0, 0)[0]["ids"].tolist() == [[0], [0]]


texts = st.lists(st.lists(st.integers(1, 10), max_size=7), min_size=1, max_size=20)


@given(texts, st.integers(1, 5), st.integers(0, 5))
def test_a_pass_gives_back_every_text_with_its_label(texts, batch_size, pass_index):
    source = make(texts, batch_size=batch_size)
    source.plan = LengthGroupedPlan(list(map(len, texts)), batch_size, seed=3, pool=2)
    found = {}
    for step in range(source.steps_per_pass):
        inputs, labels, _ = source.batch(pass_index, step)
        for ids, label in zip(inputs["ids"].tolist(), labels.tolist(), strict=True):
            found[label] = [i for i in ids if i]
    assert found == dict(enumerate(texts))


def test_workers_share_a_batch():
    texts = [[1], [2], [3]]
    first, second = (make(texts, worker=w, workers=2).batch(0, 0) for w in range(2))
    assert first[0]["ids"].tolist() == [[1], [3]]
    assert second[0]["ids"].tolist() == [[2], [1]]
    assert second[2].tolist() == [1, 0]


def test_signature_fits_the_batches():
    source = make([[1, 2], [3]])
    inputs, labels, weights = source.batch(0, 0)
    ids_spec, label_spec, weight_spec = (
        source.signature[0]["ids"],
        source.signature[1],
        source.signature[2],
    )
    for spec, array in ((ids_spec, inputs["ids"]), (label_spec, labels), (weight_spec, weights)):
        assert spec.dtype.as_numpy_dtype == array.dtype
        assert spec.shape.rank == array.ndim
