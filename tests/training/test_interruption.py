import os
import signal

import pytest

from textapps.training.interruption import Interruption, PromptInterruption, TrainingTerminated


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


def test_what_a_signal_raised_to_no_effect_is_raised_again():
    """As it is where an object is destroyed, from which Python lets nothing out."""
    before = [signal.getsignal(s) for s in Interruption.SIGNALS]
    with PromptInterruption() as signals:
        signals.check()
        with pytest.raises(KeyboardInterrupt) as raised:
            signal.raise_signal(signal.SIGINT)
        assert not isinstance(raised.value, TrainingTerminated)
        with pytest.raises(KeyboardInterrupt):
            signals.check()
        signals.caught()
        signals.check()
        with pytest.raises(TrainingTerminated):
            signal.raise_signal(signal.SIGTERM)
        with pytest.raises(TrainingTerminated):
            signals.check()
    assert [signal.getsignal(s) for s in Interruption.SIGNALS] == before
