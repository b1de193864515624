"""The model card, written from the record: data and terms, figures, how it was made."""

from textapps.pretrained.description import Description
from textapps.pretrained.model import PREFIX

_CARD = """\
# {title}

`{origin}`, a model of the task `{task}` that comes with textapps.

| | |
|---|---|
| languages | {languages} |
| for | {use} |
| not for | {not_for} |
| trained on | {data} |
| terms of the data | {terms} |
| model | {backbone}, {parameters:,} parameters, stored as {weights} |
| made | {made} |

## Figures

{figures}

## Use

```sh
{usage}
```

## How it was made

```sh
{commands}
```

The weights are rounded after training ({rounding}); the figures above say what this costs.
"""
# What the machine did, and what the card says elsewhere.
_NOT_OF_THE_WEIGHTS = ("seconds", "parameters", "milliseconds_per_clip")
_ROUNDING = {
    "int8": "matrices to 8 bits with one float scale for each row, the rest as it was",
    "float16": "matrices to half precision, the rest as it was",
}
_COMMAND = {
    "sentiment": "predict {input}",
    "generate": "--seed {input}",
    "translate": "predict {input}",
    "speech": "predict recording.wav",
}


def card(description: Description) -> str:
    """The card of a model, Markdown."""
    known = description.model_dump()
    known |= {
        "origin": PREFIX + description.name,
        "languages": ", ".join(description.languages),
        "figures": figures(description),
        "usage": usage(description),
        "commands": "\n".join(description.commands),
        "rounding": _ROUNDING[description.weights],
    }
    return _CARD.format_map(known)


def figures(description: Description) -> str:
    """A table of the figures of a model beside those of the same weights in full precision."""
    found = description.figures
    lines = [
        f"{found.data}, {found.split} split, {found.examples:,} examples; brackets hold 95 % "
        "intervals.",
        "",
        "| | as shipped | in full precision |",
        "|---|---|---|",
    ]
    for name, value in found.metrics.items():
        if name.endswith(("_low", "_high")) or name in _NOT_OF_THE_WEIGHTS:
            continue
        full = found.full_precision.get(name)
        low, high = (found.metrics.get(f"{name}_{end}") for end in ("low", "high"))
        interval = "" if low is None or high is None else f" ({_short(low)} to {_short(high)})"
        beside = "" if full is None else _short(full)
        lines.append(f"| {name} | {_short(value)}{interval} | {beside} |")
    return "\n".join(lines)


def _short(value: float) -> str:
    """
    >>> _short(0.87501), _short(173), _short(32.0)
    ('0.8750', '173', '32.0000')
    """
    return f"{value:,}" if isinstance(value, int) else f"{value:.4f}"


def usage(description: Description) -> str:
    """A command that uses the model."""
    first = next(iter(description.inputs[0].values())) if description.inputs else "…"
    quoted = '"' + first.replace('"', '\\"') + '"'
    task = description.task
    words = _COMMAND.get(task, "train --data FILE --init-from {run}")
    run = PREFIX + description.name
    line = f"textapps {task} {words.format(input=quoted, run=run)}"
    return line if run in line else f"{line} --run {run}"
