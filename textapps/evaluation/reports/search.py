"""The report on a search: what was tried, what was found, and what it costs."""

from collections.abc import Mapping
from pathlib import Path

from textapps.core.counted import counted
from textapps.evaluation.reports.comparison import verdict_sections
from textapps.evaluation.reports.plots import metric_name
from textapps.evaluation.reports.search_plots import (
    history,
    importance_bars,
    quality_and_size,
    quality_and_time,
)
from textapps.evaluation.reports.sections import (
    Headline,
    Paragraph,
    Plot,
    Report,
    Section,
    Table,
    figure,
)
from textapps.evaluation.searched import Searched, Tried

_FRONT = (
    "Trials that were trained to their end. No other one is better than one of the front in "
    "quality, size or time without being worse in another of them."
)


def search_report(found: Searched) -> Report:
    """Result, test split, history, importances, costs, configuration, trials and space."""
    sections: list[Section] = [_headline(found)]
    if found.notes:
        sections.append(Paragraph("To keep in mind", "\n".join(found.notes)))
    if found.test is not None:
        sections += verdict_sections(found.test)
    sections += [
        Plot(
            "History",
            history(found),
            f"The {metric_name(found.metric)} of each trial over the minutes of the search.",
        ),
        _importance(found.importances),
        *_costs(found),
        _changes(found),
        _trials(found),
        _space(found),
    ]
    runs = {run.letter: run.name for run in found.test.runs} if found.test else {}
    facts = {
        "run": Path(found.run).name,
        "data": found.data,
        **({"A": f"{runs['A']}: the result", "B": f"{runs['B']}: the preset"} if runs else {}),
        "time": time_used(found.seconds_used, found.seconds_named),
    }
    trials = counted(len(found.tried), "trial")
    return Report(f"{found.task.capitalize()}: search of {trials}", facts, sections)


def value(found: Searched, number: float | None) -> str:
    """A validation metric as text.

    >>> from textapps.evaluation.searched import Searched
    >>> made = Searched(task="sentiment", run="", data="", metric="accuracy", less=False, chosen=0,
    ...                 tried=(), seconds_named=1, seconds_used=1, preset_seconds=1)
    >>> value(made, 0.91234), value(made, None)
    ('91.23 %', '')
    """
    return "" if number is None else figure({found.metric: number}, found.metric)[0]


def result_of(found: Searched, chosen: Tried) -> str:
    """Which trial is the result, and the mean over its random seeds, if it has several."""
    told = f"trial {chosen.number}, {chosen.backbone}"
    seeds = chosen.seeds
    if len(seeds) < 2:
        return told
    return f"{told}, {value(found, sum(seeds) / len(seeds))} on average of {len(seeds)} seeds"


def time_used(used: float, named: float) -> str:
    """The time that a search took and was given, in seconds, as text.

    >>> time_used(1_790, 1_800), time_used(1_815, 1_800)
    ('29.8 of 30 minutes', '30.2 minutes, 0.2 more than the 30 given')
    >>> time_used(24.4, 12), time_used(12.3, 12)
    ('24 seconds, 12 more than the 12 given', '12 of 12 seconds')
    """
    unit, size, digits = ("seconds", 1, 0) if named < 2 * 60 else ("minutes", 60, 1)
    took, given = f"{used / size:.{digits}f}", f"{named / size:g}"
    over = f"{(used - named) / size:.{digits}f}"
    if float(over) <= 0:
        return f"{took} of {given} {unit}"
    return f"{took} {unit}, {over} more than the {given} given"


def _importance(shares: Mapping[str, float]) -> Section:
    heading = "Importance of the keys"
    if not any(share > 0 for share in shares.values()):
        why = "It cannot be told: too few trials were validated, or their scores do not differ."
        return Paragraph(heading, why)
    return Plot(
        heading,
        importance_bars(shares),
        "The share of each key in the differences between trials.",
        "By PED-ANOVA (Watanabe et al. 2023), from the scores at the first rung of each trial.",
    )


def _costs(found: Searched) -> list[Section]:
    """What quality costs, if there are two trials to compare."""
    if sum(row.ended for row in found.tried) < 2:
        return []
    return [
        Plot(
            "Quality and size",
            quality_and_size(found),
            "Quality of the trials over the megabytes of their weights.",
            _FRONT,
        ),
        Plot(
            "Quality and time",
            quality_and_time(found),
            "Quality of the trials over the milliseconds in which they answer.",
            _FRONT,
        ),
    ]


def _headline(found: Searched) -> Headline:
    chosen = next(row for row in found.tried if row.number == found.chosen)
    preset = next(row for row in found.tried if row.number == 0)
    name = metric_name(found.metric)
    figures = [
        (name, value(found, chosen.best), result_of(found, chosen)),
        ("the preset", value(found, preset.best), f"{found.preset_seconds:,.0f} s, all in all"),
    ]
    if found.baseline is not None:
        figures.append(("classical baseline", value(found, found.baseline), ""))
    ended = sum(row.ended for row in found.tried)
    figures.append(("trials", f"{len(found.tried):,}", f"{ended:,} trained to their end"))
    return Headline("Result on the validation split", figures)


def _changes(found: Searched) -> Section:
    heading = "Configuration"
    rows = [(key, *values) for key, values in found.changes.items()]
    if not rows:
        return Paragraph(heading, "That of the preset, which is the result.")
    note = "All other keys are those of the preset."
    return Table(heading, ("Key", "Preset", "Result"), rows, note)


def _trials(found: Searched) -> Table:
    def order(row: Tried) -> tuple[bool, float]:
        best = row.best or 0.0
        return (row.best is None, best if found.less else -best)

    rows: list[tuple[str | float, ...]] = [
        (
            f"{row.number}  {row.backbone}{_remark(found, row)}",
            "\n".join(filter(None, (value(found, row.best), _seeds(found, row)))),
            f"{row.megabytes:,.2f}" if row.parameters else "",
            "" if row.milliseconds is None else f"{row.milliseconds:,.1f}",
            f"{row.seconds:,.0f}",
            row.reached,
            row.changes,
        )
        for row in sorted(found.tried, key=order)
    ]
    if found.baseline is not None:
        rows.append(("classical baseline", value(found, found.baseline), "", "", "", "", ""))
    columns = ("Trial", "Validation", "MB", "ms", "s", "Trained", "Differences from the preset")
    return Table(
        "Trials",
        columns,
        rows,
        "Validation: of the best training; the best mean over random seeds wins. MB: of the "
        "weights in float32. ms: median time to answer one input, warm. s: of training steps. "
        "Trained: trials are compared after 1/9 and 1/3 of a training.",
    )


def _remark(found: Searched, row: Tried) -> str:
    if row.number == found.chosen:
        return ", the result"
    if not row.fits:
        return ", over a limit"
    return ", the preset" if row.number == 0 else ""


def _seeds(found: Searched, row: Tried) -> str:
    if len(row.seeds) < 2:
        return ""
    return "seeds: " + ", ".join(value(found, seed) for seed in row.seeds)


def _space(found: Searched) -> Table:
    rows = list(found.space.items())
    return Table("Space", ("Key", "Values"), rows)
