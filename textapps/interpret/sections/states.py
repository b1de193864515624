"""The sections on states and gates, and on the heads of a transformer."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.cluster import hierarchy

from textapps.core.counted import counted
from textapps.interpret.activations import Trace, gate_figures
from textapps.interpret.heads import head_figures
from textapps.interpret.pictures import CHARACTERS, head_maps, heat_maps
from textapps.interpret.section import Part, Picture, Section, Table

UNITS = 40  # in a heat map
ATTENTION_CHARACTERS = 64
TITLE = "State and gates while reading"
TEXT = (
    "Each column is a step of reading, each row a unit: blue is positive or open, orange negative, "
    "and units that behave alike stand together. A unit that keeps its colour across many steps "
    "remembers something; a gate shows when it writes, forgets or lets nothing through."
)
SOURCE = (
    "Hochreiter and Schmidhuber 1997, Long short-term memory; Gers, Schmidhuber and Cummins 2000, "
    "Learning to forget; Cho et al. 2014, Learning phrase representations; Karpathy, Johnson and "
    "Fei-Fei 2015, Visualizing and understanding recurrent networks"
)
ATTENTION_TITLE = "Where the heads look"
ATTENTION_TEXT = (
    "Each map is one attention head: down the rows the position that looks, along the columns "
    "where it looks, darker for more. A diagonal line is a head that always looks the same "
    "distance back, a column one that many positions look at."
)
ATTENTION_SOURCE = (
    "Vaswani et al. 2017, Attention is all you need, section 3.2; Vig 2019, A multiscale "
    "visualization of attention in the transformer model"
)
MEANINGS = {
    "forget": "keeps the cell",
    "input": "writes to the cell",
    "output": "shows the cell",
    "update": "keeps the state",
    "reset": "uses the state",
}


def state_section(
    traces: Sequence[Trace], pieces: Sequence[str], unit: str = "character"
) -> Section:
    """What `traces` found; the maps show the beginning of the text, the table is about all of it.

    Args:
        pieces: what was read, as many as the traces have steps.
        unit: what a piece is.
    """
    parts: list[Part] = []
    rows, data = [], {}
    for trace in traces:
        order = unit_order(next(iter(trace.state.values())))
        shown = {
            name: _scaled(values)[:CHARACTERS, order]
            if name in trace.state
            else values[:CHARACTERS, order]
            for name, values in {**trace.state, **trace.gates}.items()
        }
        titled = {_title(name): values for name, values in shown.items()}
        many = len(traces) > 1
        parts.append(
            Picture(
                heat_maps(titled, pieces[:CHARACTERS]),
                f"Heat maps of {', '.join(shown)} over the first characters of the text.",
                caption=trace.name.capitalize() if many else "",
            )
        )
        figures = {name: gate_figures(gate) for name, gate in trace.gates.items()}
        for name, each in figures.items():
            label = f"{trace.name}: {name}" if many else name
            rows.append(
                (
                    f"{label} ({MEANINGS[name]})",
                    f"{100 * each.mean:.0f} %",
                    f"{100 * each.open:.0f} %",
                    f"{100 * each.closed:.0f} %",
                    f"{each.open_steps:.1f} steps",
                )
            )
        data[trace.name] = {
            "units": order,
            "maps": {name: np.round(values, 2) for name, values in shown.items()},
            "gates": {name: each._asdict() for name, each in figures.items()},
        }
    note = ""
    if rows:
        columns = ("gate", "mean", "above 0.9", "below 0.1", "stays open")
        parts.append(
            Table(
                columns,
                rows,
                f"Over {counted(len(pieces), unit)} and all units. A gate stays open while it is "
                "above one half.",
            )
        )
    else:
        note = "This cell has no gates: every step computes its whole state anew."
    return Section(
        key="state", title=TITLE, text=TEXT, source=SOURCE, parts=parts, note=note, data=data
    )


def no_state_section() -> Section:
    """That of a transformer, which has neither a state of units nor gates."""
    return Section(
        key="state",
        title=TITLE,
        text=TEXT,
        source=SOURCE,
        note="A transformer has no gates and no state that is computed anew at each step: it keeps "
        "what it has read. Its attention is shown below.",
    )


def attention_section(
    blocks: Sequence[NDArray[np.float32]], pieces: Sequence[str], unit: str = "character"
) -> Section:
    """What `self_attention` found over a short text."""
    rows = []
    figures = {}
    for number, weights in enumerate(blocks, 1):
        for head, each in enumerate(weights, 1):
            found = head_figures(each)
            figures[f"block {number} head {head}"] = found._asdict()
            rows.append(
                (
                    f"block {number}, head {head}",
                    f"{found.distance:.1f}",
                    f"{100 * found.own:.0f} %",
                    f"{100 * found.before:.0f} %",
                    f"{found.entropy:.2f}",
                )
            )
    columns = ("head", "looks back", "at itself", "one before", "entropy, nats")
    return Section(
        key="attention",
        title=ATTENTION_TITLE,
        text=ATTENTION_TEXT,
        source=ATTENTION_SOURCE,
        parts=(
            Picture(head_maps(blocks), "Attention maps of every head, a row for each block."),
            Table(columns, rows, f"Means over the first {counted(len(pieces), unit)}."),
        ),
        data={
            "pieces": list(pieces),
            "heads": figures,
            "weights": [np.round(weights, 2) for weights in blocks],
        },
    )


def unit_order(state: NDArray[np.float32], most: int = UNITS) -> NDArray[np.int64]:
    """The units that vary most, in an order in which those that correlate stand together.

    The order is that of the leaves of average-linkage clustering by correlation.
    """
    spread = state.std(axis=0)
    chosen = np.sort(np.argsort(-spread, kind="stable")[:most])
    if len(chosen) < 3 or len(state) < 3:
        return chosen
    centred = (state - state.mean(axis=0))[:, chosen].astype(np.float64)
    norms = np.linalg.norm(centred, axis=0)
    unit = np.divide(centred, norms, out=np.zeros_like(centred), where=norms > 1e-9)
    tree = hierarchy.linkage(unit.T, "average", metric="euclidean")
    ordered: NDArray[np.int64] = chosen[hierarchy.leaves_list(tree)]
    return ordered


def _scaled(state: NDArray[np.float32]) -> NDArray[np.float32]:
    """The state in -1 to 1: as it is where tanh bounds it, else by its largest values."""
    largest = float(np.quantile(np.abs(state), 0.995)) if state.size else 1.0
    scaled: NDArray[np.float32] = np.clip(state / max(largest, 1.0), -1, 1)
    return scaled


def _title(name: str) -> str:
    return f"{name} ({MEANINGS[name]})" if name in MEANINGS else name


def units_of(traces: Sequence[Trace]) -> tuple[list[str], NDArray[np.float32]]:
    """Names and values of all units of all leaves: float32[time, units]."""
    names, columns = [], []
    for trace in traces:
        for leaf, values in trace.state.items():
            prefix = f"{trace.name} {leaf}" if len(traces) > 1 else leaf
            names += [f"{prefix}{unit}" for unit in range(values.shape[1])]
            columns.append(values)
    return names, np.concatenate(columns, axis=1)
