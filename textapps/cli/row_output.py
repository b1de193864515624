"""The rows of `predict` on stdout: as text, CSV or JSON lines."""

import csv
import json
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Literal

import click

from textapps.core.errors import DataError

if TYPE_CHECKING:
    from textapps.tasks.rows import Row

OutputFormat = Literal["text", "csv", "jsonl"]


def print_rows(rows: "Iterable[Row]", form: OutputFormat) -> None:
    """Print each row as soon as it is there.

    Raises:
        DataError: a row cannot be put under the header of CSV, which is that of the first row.
    """
    if form == "csv":
        _print_csv(rows)
        return
    for row in rows:
        line = row.text if form == "text" else json.dumps(row.fields, ensure_ascii=False)
        click.echo(without_surrogates(line))


def without_surrogates(text: str) -> str:
    r"""The text with U+FFFD for each half of a surrogate pair, which UTF-8 cannot encode.

    Arguments that are not UTF-8 contain them.

    >>> without_surrogates("caf\udce9 \U0001f600") == "caf\ufffd \U0001f600"
    True
    """
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def _print_csv(rows: "Iterable[Row]") -> None:
    out = csv.writer(_Echo(), lineterminator="\n")
    header: list[str] = []
    for row in rows:
        cells = _flat(row.fields)
        if not header:
            header = list(cells)
            out.writerow(header)
        if more := [name for name in cells if name not in header]:
            raise DataError(
                f"input {row.fields['index'] + 1} has a column that the first one lacks, "
                f"'{more[0]}': use --output-format jsonl"
            )
        out.writerow([cells.get(name, "") for name in header])


def _flat(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The cells of a row: a column for each probability; lists as JSON.

    `probabilities` holds the scores too. If it holds only the largest, in descending order, each
    has its label beside it.

    >>> both = {"label": "b", "probability": 0.6, "scores": (0.4, 0.6)}
    >>> _flat({**both, "probabilities": {"a": 0.4, "b": 0.6}})
    {'label': 'b', 'probability': 0.6, 'probability_a': 0.4, 'probability_b': 0.6}
    >>> _flat({**both, "scores": (0.3, 0.6, 0.1), "probabilities": {"b": 0.6, "a": 0.3}})
    {'label': 'b', 'probability': 0.6, 'label_2': 'a', 'probability_2': 0.3}
    >>> list(_flat({"probability_b": "0.9", **both, "probabilities": {"a": 0.4, "b": 0.6}}))
    ['input_probability_b', 'label', 'probability', 'probability_a', 'probability_b']
    """
    from textapps.datasets.inputs import columns_beside

    cells = dict(fields)
    if (named := cells.pop("probabilities", None)) is not None:
        own: dict[str, Any] = {}
        if len(named) == len(cells.pop("scores")):
            own.update({f"probability_{label}": value for label, value in named.items()})
        else:
            for rank, (label, value) in enumerate(named.items(), 1):
                if rank > 1:
                    own[f"label_{rank}"], own[f"probability_{rank}"] = label, value
        cells = {**columns_beside(cells, own), **own}  # the user's table may have such columns
    return {
        name: json.dumps(value, ensure_ascii=False) if isinstance(value, list | tuple) else value
        for name, value in cells.items()
    }


class _Echo:
    """The file that the CSV writer writes to."""

    def write(self, text: str) -> None:
        click.echo(without_surrogates(text), nl=False)
