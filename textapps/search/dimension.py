"""One dimension of the space that a search looks through: the values of a configuration key."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution

Value = str | int | float | bool
DIGITS = 3  # of a number that is tried; more would say nothing


@dataclass(frozen=True, kw_only=True)
class Dimension:
    """The values of a key, and the preset's value among them.

    choices: all of them, if they are not numbers of a range.
    low, high: the range otherwise, both included.
    log: whether a logarithmic scale is used.
    whole: whether the numbers of the range are integers.
    factor: whether the range is one of factors of the preset's value, whose own factor is 1.
    multiple: what the product with a factor is rounded to, if the preset's value is an integer.
    cost: the time of a training grows about with this power of the value.
    with_start: whether it is varied where trainings start from a run, too.
    """

    key: str
    preset: Value
    choices: tuple[Value, ...] = ()
    low: float = 0.0
    high: float = 0.0
    log: bool = False
    whole: bool = False
    factor: bool = False
    multiple: int = 1
    cost: float = 0.0
    with_start: bool = False

    @property
    def distribution(self) -> "BaseDistribution":
        """What Optuna draws from."""
        from optuna import distributions

        if self.choices:
            return distributions.CategoricalDistribution(self.choices)
        if self.whole:
            return distributions.IntDistribution(int(self.low), int(self.high), log=self.log)
        return distributions.FloatDistribution(self.low, self.high, log=self.log)

    @property
    def point(self) -> Value:
        """What stands for the preset's value in the distribution."""
        return 1.0 if self.factor else self.preset

    @property
    def document(self) -> Mapping[str, Any]:
        """All of it as JSON has it, to be compared with that of another process."""
        return {**asdict(self), "choices": list(self.choices)}

    @property
    def told(self) -> str:
        """The values in words.

        >>> Dimension(key="a", preset=64, low=0.5, high=2, log=True, factor=True).told
        '0.5 to 2 times the preset'
        >>> Dimension(key="a", preset="x", choices=("x", "y")).told
        'x, y'
        """
        if self.choices:
            return ", ".join(map(str, self.choices))
        span = f"{self.low:g} to {self.high:g}"
        return f"{span} times the preset" if self.factor else span

    def ratio(self, drawn: Value) -> float:
        """How many times the preset's value it is; 1 if it is no number.

        >>> Dimension(key="a", preset=64, low=0.5, high=2, factor=True).ratio(1.5)
        1.5
        >>> Dimension(key="a", preset=64, low=16, high=128).ratio(32)
        0.5
        """
        if self.choices or isinstance(drawn, str):
            return 1.0
        return drawn if self.factor else drawn / float(self.preset)

    def cost_of(self, drawn: Value) -> float:
        """How many times as long as the preset's a training with it takes, as far as is known."""
        return float(self.ratio(drawn) ** self.cost) if self.cost else 1.0

    def affordable(self, drawn: Value, cost: float) -> Value:
        """What was drawn, or the nearest number of the range with which a training costs no more.

        >>> passes = Dimension(key="a", preset=10, low=5, high=40, whole=True, cost=1)
        >>> passes.affordable(30, 2.05), passes.affordable(12, 2.05), passes.affordable(30, 0.1)
        (20, 12, 5)
        >>> batch = Dimension(key="a", preset=64, low=0.25, high=2, factor=True, cost=-0.5)
        >>> batch.affordable(0.25, 1.0), batch.affordable(0.25, 2.0)
        (1.0, 0.25)
        """
        if not self.cost or self.choices or self.cost_of(drawn) <= cost:
            return drawn
        ratio = cost ** (1 / self.cost)
        nearest = ratio if self.factor else ratio * float(self.preset)
        nearest = min(max(nearest, self.low), self.high)
        return int(nearest) if self.whole else nearest

    def value(self, drawn: Value, preset: Any) -> Any:
        """The value of the key.

        Args:
            drawn: from the distribution.
            preset: the preset's value with the backbone that was drawn too.

        >>> units = Dimension(key="a", preset=64, low=0.5, high=2, factor=True, multiple=8)
        >>> units.value(0.77, 64), units.value(1.0, 50), units.value(0.05, 64)
        (48, 50, 8)
        >>> units.value(1.2345, 0.001)
        0.00123
        """
        if self.factor:
            assert isinstance(drawn, int | float)
            if drawn == 1:
                return preset
            if isinstance(preset, int):
                return max(1, round(preset * drawn / self.multiple)) * self.multiple
            return _short(preset * drawn)
        if self.choices or self.whole or drawn == self.preset:
            return drawn
        assert isinstance(drawn, int | float)
        return _short(drawn)


def _short(number: float) -> float:
    return float(f"{number:.{DIGITS}g}")
