"""What the benchmark of distribution makes of its measurements, and the tables on paper."""

import pytest

from benchmarks import distributed, results, scaling


def test_tables_of_the_documentation_are_those_of_the_result() -> None:
    page = (results.RESULTS.parent / "distributed.md").read_text(encoding="utf-8")
    assert scaling.tables() in page, "run python -m benchmarks.scaling"


def test_a_ring_worked_by_hand() -> None:
    # 4 workers, 8 Mbit of gradient: 6 trips of 2 Mbit at 1 Mbit/s, and 0.5 s each
    assert scaling.all_reduce_seconds(4, 1e6, 1e6, 0.5) == pytest.approx(6 * (2 + 0.5))
    assert scaling.efficiency(4.0, 1.0) == pytest.approx(0.8)
    rows = scaling.rows_needed(0.003, 0.0151)
    assert scaling.efficiency(rows * 0.003, 0.0151) >= scaling.ENOUGH
    assert scaling.efficiency((rows - 1) * 0.003, 0.0151) < scaling.ENOUGH


def test_the_first_interval_and_a_last_smaller_batch_do_not_count() -> None:
    rows = [
        {"step": 10, "seconds": 100.0},
        {"step": 20, "seconds": 102.0},
        {"step": 30, "seconds": 105.0},
        {"step": 31, "seconds": 107.0},
    ]
    assert distributed.rate(rows, 7) == pytest.approx(20 * 7 / 5)
    assert distributed.rate(rows[:2], 7) == pytest.approx(10 * 7 / 2)


def test_the_ratio_is_that_of_medians() -> None:
    found = distributed.summary({"one process": [10, 20, 90], "two processes": [15, 3, 99]})
    assert found["ratio"] == 0.75
    assert found["examples_per_second"]["one process"]["median"] == 20
