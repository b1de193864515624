"""Work that threads share."""

import threading
import time

import pytest

from textapps.core.parallel import cores, in_threads


def test_results_come_in_the_order_of_the_items() -> None:
    def late_if_first(number: int) -> int:
        time.sleep(0.02 * (number == 0))
        return -number

    assert list(in_threads(late_if_first, range(50))) == [-number for number in range(50)]
    assert list(in_threads(late_if_first, ())) == []


def test_an_error_is_raised_in_its_place_and_nothing_new_is_begun() -> None:
    begun = []

    def fails(number: int) -> int:
        begun.append(number)
        time.sleep(0.005)
        if number == 3:
            raise ValueError("three")
        return number

    results = in_threads(fails, range(1_000))
    assert [next(results) for _ in range(3)] == [0, 1, 2]
    with pytest.raises(ValueError, match="three"):
        next(results)
    assert len(begun) < 100
    assert all("ThreadPool" not in each.name for each in threading.enumerate())


def test_it_is_a_few_results_ahead_only() -> None:
    begun = []
    results = in_threads(begun.append, range(1_000))
    next(results)
    time.sleep(0.05)
    assert 1 <= len(begun) <= 8 * cores() + 1
    results.close()
    assert len(begun) <= 8 * cores() + 1
