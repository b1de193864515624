"""The section with the numbers of an unrolled network."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from textapps.interpret.activations import traces
from textapps.interpret.lesson import parameters_of
from textapps.interpret.section import Part, Section, Table
from textapps.interpret.stages import Stages
from textapps.interpret.unrolled import Step, Unrolled, unroll

STEPS = 12  # of the run's own network
SHOWN = 4  # units: of more, the tables show the first two and the norm
TITLE = "The unrolled network, step by step"
TITLES = {"unrolled": TITLE, "lesson": "A network of two units, step by step"}
TEXT = (
    "Read the first table downwards: each step takes one character and the state of the step "
    "before. Read the second one in its order, from the last step back: the gradient of a state is "
    "what its own output gives plus what comes back from the next step; all steps share the same "
    "parameters, so at the end their contributions are summed."
)
SOURCE = (
    "Werbos 1990, Backpropagation through time: what it does and how to do it; Elman 1990, Finding "
    "structure in time"
)
_SIGNS = {"\n": "↵", " ": "␣", "\t": "⇥"}

Arrays = Mapping[str, NDArray[np.float32]]


def unrolled_of(
    stages: Stages, model: Any, ids: NDArray[np.int32], names: Sequence[str], key: str, what: str
) -> Section:
    """The section on a recurrent model over a short text.

    Args:
        ids: as `unroll` takes them.
        names: of the symbols, by id.
        key: of the section.
        what: the network, one sentence.
    """
    variables = parameters_of(model)
    cells = traces(stages.backbone, stages.embed(ids[None, :-1]))
    many = len(cells) > 1
    gates = {
        f"{cell.name} {name}" if many else name: values
        for cell in cells
        for name, values in cell.gates.items()
    }
    return unrolled_section(
        unroll(stages, ids, variables),
        names,
        key=key,
        what=what,
        gates=gates,
        parameters={name: np.asarray(variable) for name, variable in variables.items()},
        cell=[name for name, variable in variables.items() if "/mixer/" in variable.path],
    )


def unrolled_section(
    found: Unrolled,
    names: Sequence[str],
    *,
    key: str,
    what: str,
    gates: Arrays,
    parameters: Arrays,
    cell: Sequence[str],
) -> Section:
    """What `unroll` found.

    Args:
        names: of the symbols, by id.
        key: of the section, unrolled or lesson.
        what: the network, for the note.
        gates: by name float32[steps, units].
        parameters: the values by name.
        cell: the names of those of the recurrent cells; the tables are about these.
    """
    leaves = list(found.steps[0].state)
    units = len(next(iter(found.steps[0].state.values())))
    parts: list[Part] = [_forward(found.steps, names, leaves, gates), _backward(found, names)]
    if units <= SHOWN:
        parts += [_shares(found, names, name) for name in cell]
        parts.append(_values(parameters))
    else:
        parts.append(_norms(found, names, cell))
    shown = "" if units <= SHOWN else f" The first two of {units} units are shown, and norms."
    return Section(
        key=key,
        title=TITLES[key],
        text=TEXT,
        source=SOURCE,
        parts=parts,
        note=f"{what}{shown} The sum of the losses is {found.loss:.4f} nats.",
        data={
            "symbols": list(names),
            "steps": [
                {**step._asdict(), "gates": {name: rows[t] for name, rows in gates.items()}}
                if units <= SHOWN
                else {"input": step.input, "target": step.target, "loss": step.loss}
                for t, step in enumerate(found.steps)
            ],
            "loss": found.loss,
            "gradients": found.gradients if units <= SHOWN else {},
            "parameters": parameters if units <= SHOWN else {},
        },
    )


def no_unrolled_section(why: str) -> Section:
    """That of a model that cannot be unrolled."""
    return Section(key="unrolled", title=TITLE, text=TEXT, source=SOURCE, note=why)


def _forward(
    steps: Sequence[Step], names: Sequence[str], leaves: Sequence[str], gates: Arrays
) -> Table:
    columns = ("step", "reads", "as x", *leaves, *gates, "next", "probability", "loss")
    rows = [
        (
            str(number + 1),
            _name(names[step.input]),
            _vector(step.embedded),
            *(_vector(step.state[leaf]) for leaf in leaves),
            *(_vector(values[number]) for values in gates.values()),
            _name(names[step.target]),
            f"{step.probabilities[step.target]:.4f}",
            f"{step.loss:.4f}",
        )
        for number, step in enumerate(steps)
    ]
    return Table(columns, rows, "Forward: what each step reads, its state, and its prediction.")


def _backward(found: Unrolled, names: Sequence[str]) -> Table:
    leaves = list(found.steps[0].state)
    columns = ["step", "read"]
    for leaf in leaves:
        columns += [f"∂loss/∂{leaf}: own output", "next step", "together"]
    rows = []
    for number in reversed(range(len(found.steps))):
        step = found.steps[number]
        cells = [str(number + 1), _name(names[step.input])]
        for leaf in leaves:
            own, future = step.from_output[leaf], step.from_future[leaf]
            cells += [_vector(own), _vector(future), _vector(own + future)]
        rows.append(cells)
    return Table(columns, rows, "Backward: the gradient of the sum of losses by the state.")


def _shares(found: Unrolled, names: Sequence[str], parameter: str) -> Table:
    """What each step gives to every number of one parameter, and the sums."""
    shape = found.gradients[parameter].shape
    columns = ("step", "read", *("".join(f"[{i + 1}]" for i in at) for at in np.ndindex(shape)))
    rows = [
        (str(number + 1), _name(names[step.input]), *map(_number, step.shares[parameter].ravel()))
        for number, step in enumerate(found.steps)
    ]
    rows.append(("sum", "", *map(_number, found.gradients[parameter].ravel())))
    return Table(columns, rows, f"The gradient of {parameter}: what each step gives to it.")


def _norms(found: Unrolled, names: Sequence[str], cell: Sequence[str]) -> Table:
    rows = [
        (
            str(number + 1),
            _name(names[step.input]),
            *(_number(np.linalg.norm(step.shares[name])) for name in cell),
        )
        for number, step in enumerate(found.steps)
    ]
    rows.append(
        ("norm of the sum", "", *(_number(np.linalg.norm(found.gradients[name])) for name in cell))
    )
    caption = "The norm of what each step gives to the gradient of a parameter."
    return Table(("step", "read", *cell), rows, caption)


def _values(parameters: Arrays) -> Table:
    rows = [
        (name, " × ".join(map(str, values.shape)), "; ".join(map(_row, np.atleast_2d(values))))
        for name, values in parameters.items()
    ]
    return Table(("parameter", "shape", "values, row by row"), rows, "The parameters.")


def _row(values: NDArray[np.float32]) -> str:
    return " ".join(map(_number, values))


def _vector(values: NDArray[np.float32]) -> str:
    """The numbers of a short vector; the first two of a long one and its norm."""
    if len(values) <= SHOWN:
        return " ".join(map(_number, values))
    return f"{_row(values[:2])} … norm {np.linalg.norm(values):.3g}"


def _number(number: float | np.floating[Any]) -> str:
    value = float(number)
    return f"{value:.4f}".replace("-", "−") if abs(value) >= 1e-4 or value == 0 else f"{value:.1e}"


def _name(symbol: str) -> str:
    return _SIGNS.get(symbol, symbol)
