"""Which units tell a property of the text, and whether that is more than chance.

Among hundreds of units some follow any property by chance, and both units and properties change
slowly, so that ordinary tests of correlation take chance for a finding. Therefore:

1) the unit is chosen on the first half of the text, and only that one is tested on the second;
2) the test compares with the same unit and the property shifted against each other, which keeps
   how slowly each of them changes;
3) the properties share one test: a finding has to beat the best of all properties under a shift
   (Westfall and Young 1993, single-step maxT), so that adding properties adds no false findings.
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from textapps.core.errors import DataError

ALPHA = 0.01  # share of texts without any relation in which one property or more seems to be told
STRONG = 0.3  # correlation below which a unit tells too little to be named
RAREST = 5  # characters that have a property, and that have it not, in each half
NEAR = 10  # shifts of less than a tenth of the text still match it
FEWEST = 300  # characters: fewer give too few shifts to reach ALPHA

Values = NDArray[np.float64]


class Finding(NamedTuple):
    """The unit that tells a property best on the first half, and how it does on the second.

    property: its name.
    unit: the index of the unit; None if the property is too rare to tell, and all else is NaN.
    found: the correlation with the property on the first half, -1 to 1.
    confirmed: on the second half.
    control: what 99 of 100 shifted, and so unrelated, properties stay below on the second half.
    p: how often shifts of all properties together do as well.
    holds: whether the unit tells the property: p below 0.01 and a correlation of 0.3 or more.
    """

    property: str
    unit: int | None
    found: float
    confirmed: float
    control: float
    p: float
    holds: bool


def find_units(units: NDArray[np.float32], properties: Mapping[str, Values]) -> list[Finding]:
    """For each property the unit that tells it best, found on one half and confirmed on the other.

    Args:
        units: float32[characters, units].
        properties: by name float64[characters].

    Raises:
        DataError: there are fewer than 300 characters.
    """
    if len(units) < FEWEST:
        raise DataError(
            f"{len(units)} characters are too few to tell what units mean: give {FEWEST} or more"
        )
    half = len(units) // 2
    first, second = _standard(units[:half]), _standard(units[half : 2 * half])
    told = {name: values for name, values in properties.items() if _is_common(values, half)}
    chosen: dict[str, tuple[int, float, float, Values]] = {}
    for name, values in told.items():
        correlations = _standard(values[:half, None])[:, 0] @ first / half
        unit = int(np.argmax(np.abs(correlations)))
        sign = np.sign(correlations[unit])
        unshifted, shifted = _shifted(
            second[:, unit], _standard(values[half : 2 * half, None])[:, 0]
        )
        chosen[name] = (unit, float(correlations[unit]), sign * unshifted, sign * shifted)
    spreads = {name: np.sqrt(np.mean(row[3] ** 2)) or 1.0 for name, row in chosen.items()}
    best = np.zeros(1)
    if chosen:
        best = np.max([row[3] / spreads[name] for name, row in chosen.items()], axis=0)
    findings = []
    for name in properties:
        if name not in chosen:
            nothing = float("nan")
            findings.append(Finding(name, None, nothing, nothing, nothing, nothing, False))
            continue
        unit, found, confirmed, shifted = chosen[name]
        as_good = int((best >= confirmed / spreads[name]).sum())
        p = (1 + as_good) / (1 + len(best))
        findings.append(
            Finding(
                property=name,
                unit=unit,
                found=found,
                confirmed=float(np.sign(found) * confirmed),
                control=float(np.quantile(np.abs(shifted), 0.99)),
                p=p,
                holds=bool(p < ALPHA and confirmed >= STRONG),
            )
        )
    return findings


def _is_common(values: Values, half: int) -> bool:
    """Whether both halves have enough of it, and of its absence, to tell."""

    def varies(part: Values) -> bool:
        # What a property is most often is its absence.
        _, counts = np.unique(part, return_counts=True)
        return len(part) - int(counts.max()) >= RAREST

    return varies(values[:half]) and varies(values[half : 2 * half])


def _standard(columns: NDArray[np.floating]) -> Values:
    """Columns of mean 0 and variance 1; those that do not vary are 0."""
    centred = columns.astype(np.float64) - columns.mean(axis=0, dtype=np.float64)
    spread = centred.std(axis=0)
    varying = spread > 1e-9
    standard: Values = centred * varying / np.where(varying, spread, 1.0)
    return standard


def _shifted(unit: Values, values: Values) -> tuple[float, Values]:
    """Their correlation, and those under all circular shifts that are not near 0."""
    length = len(unit)
    product = np.conj(np.fft.rfft(unit)) * np.fft.rfft(values)
    all_shifts = np.fft.irfft(product, n=length) / length
    margin = length // NEAR
    return float(all_shifts[0]), all_shifts[margin : length - margin]
