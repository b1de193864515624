import os
import signal

import pytest

from textapps.training.interruption import Interruption


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_first_signal_is_noted_and_the_handlers_return(number):
    before = [signal.getsignal(s) for s in Interruption.SIGNALS]
    with Interruption() as interruption:
        assert not interruption.requested
        os.kill(os.getpid(), number)
        assert interruption.requested
        assert [signal.getsignal(s) for s in Interruption.SIGNALS] == before
    assert [signal.getsignal(s) for s in Interruption.SIGNALS] == before


@pytest.fixture
def interruptible():
    """In the background of a shell, where the tests may run, SIGINT is ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_the_second_one_acts(interruptible):
    with Interruption():
        os.kill(os.getpid(), signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
