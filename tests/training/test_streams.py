import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from textapps.training.streams import ScoringBatchSource, StreamBatchSource

LENGTHS = st.integers(2, 60)
STREAMS = st.integers(1, 7)
CHUNKS = st.integers(1, 9)


def batches(source, passes: int = 1):
    return [source.batch(p, s) for p in range(passes) for s in range(source.steps_per_pass)]


@given(LENGTHS, STREAMS, CHUNKS)
def test_a_row_goes_on_where_it_ended(length: int, streams: int, chunk: int) -> None:
    source = StreamBatchSource(np.arange(length, dtype=np.int32), streams, chunk)
    found = batches(source, passes=3)
    ids = np.concatenate([inputs["ids"] for inputs, _, _ in found], axis=1)
    targets = np.concatenate([targets for _, targets, _ in found], axis=1)
    assert ids.shape == (streams, 3 * source.steps_per_pass * chunk)
    np.testing.assert_array_equal(targets, (ids + 1) % length)
    np.testing.assert_array_equal(ids[:, 1:], targets[:, :-1])


@given(st.integers(20, 90), st.integers(1, 4), st.integers(1, 5))
def test_a_pass_sees_nearly_every_position_once(length: int, streams: int, chunk: int) -> None:
    source = StreamBatchSource(np.arange(length, dtype=np.int32), streams, chunk)
    seen = np.concatenate([inputs["ids"].ravel() for inputs, _, _ in batches(source)])
    assert len(np.unique(seen)) == len(seen) > length - streams * chunk - streams


def test_streams_start_afresh_once() -> None:
    source = StreamBatchSource(np.arange(40, dtype=np.int32), streams=3, chunk=5)
    starts = [inputs["start"].tolist() for inputs, _, _ in batches(source, passes=2)]
    assert starts == [[True] * 3] + [[False] * 3] * 3


def test_workers_share_the_streams() -> None:
    ids = np.arange(50, dtype=np.int32)
    whole = StreamBatchSource(ids, streams=5, chunk=3)
    parts = [StreamBatchSource(ids, 5, 3, worker, 2) for worker in range(2)]
    assert {part.steps_per_pass for part in parts} == {whole.steps_per_pass}
    for worker, part in enumerate(parts):
        inputs, _, weights = part.batch(1, 2)
        assert weights.shape == part.signature[2].shape == (3, 3)  # the last of one is padding
        assert weights[:, 0].tolist() == [1, 1, 1 - worker]
        own = whole.batch(1, 2)[0]["ids"][worker::2]
        np.testing.assert_array_equal(inputs["ids"][: len(own)], own)


def test_workers_share_the_scoring() -> None:
    ids = np.arange(50, dtype=np.int32)
    whole = ScoringBatchSource(ids, streams=5, chunk=3, lead=4)
    parts = [ScoringBatchSource(ids, 5, 3, 4, worker, 2) for worker in range(2)]
    evaluated: list[int] = []
    for step in range(whole.steps_per_pass):
        for part in parts:
            _, targets, weights = part.batch(0, step)
            assert targets.shape == (3, 3)
            evaluated += targets[weights > 0].tolist()
    assert sorted(evaluated) == list(range(1, 50))


@given(LENGTHS, STREAMS, CHUNKS, st.integers(0, 20))
def test_scoring_evaluates_every_position_once_and_in_order(
    length: int, streams: int, chunk: int, lead: int
) -> None:
    ids = np.arange(length, dtype=np.int32)
    source = ScoringBatchSource(ids, streams, chunk, lead)
    found = batches(source)
    for inputs, targets, weights in found:
        np.testing.assert_array_equal(targets, inputs["ids"] + 1)
        assert weights.shape == targets.shape == (streams, chunk)
    weights = np.concatenate([weights for _, _, weights in found], axis=1)
    targets = np.concatenate([targets for _, targets, _ in found], axis=1)
    assert sorted(targets[weights > 0].tolist()) == list(range(1, length))
    assert len(np.unique(weights[weights > 0])) == 1
    np.testing.assert_allclose(weights.mean(), 1, rtol=1e-6)
    assert source.in_order(targets).tolist() == list(range(1, length))


def test_scoring_reads_a_lead_before_each_piece() -> None:
    source = ScoringBatchSource(np.arange(31, dtype=np.int32), streams=3, chunk=4, lead=6)
    ids, weights = (
        np.concatenate(parts, axis=1)
        for parts in zip(*((i["ids"], w) for i, _, w in batches(source)), strict=True)
    )
    assert ids[:, 0].tolist() == [0, 4, 14]
    first_evaluated = [int(row[w > 0][0]) for row, w in zip(ids, weights, strict=True)]
    assert first_evaluated == [0, 10, 20]


@pytest.mark.parametrize("source", [StreamBatchSource, ScoringBatchSource])
def test_signature_fits_the_batches(source: type) -> None:
    more = () if source is StreamBatchSource else (2,)
    one = source(np.arange(23, dtype=np.int32), 3, 4, *more)
    inputs, targets, weights = one.batch(0, 1)
    specs, target_spec, weight_spec = one.signature
    for spec, value in [
        (specs["ids"], inputs["ids"]),
        (specs["start"], inputs["start"]),
        (target_spec, targets),
        (weight_spec, weights),
    ]:
        assert spec.dtype.as_numpy_dtype == value.dtype
        assert spec.shape.is_compatible_with(value.shape)
