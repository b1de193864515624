"""The report on several runs on the same examples."""

from collections.abc import Sequence

from textapps.core.counted import counted, plural
from textapps.evaluation.comparison import ComparedRun, Comparison, chance, limits
from textapps.evaluation.metrics.differences import FEWEST, Difference, is_less_better
from textapps.evaluation.reports.curves import curves_over_seconds
from textapps.evaluation.reports.plots import metric_name
from textapps.evaluation.reports.sections import (
    NAMES,
    Paragraph,
    Plot,
    Report,
    Section,
    Table,
    Texts,
    figure,
    gap,
)


def verdict_sections(comparison: Comparison) -> list[Section]:
    """Verdict, metrics and differences."""
    return [
        Paragraph("Which is better", _sentences(comparison.verdicts)),
        _metrics(comparison),
        _differences(comparison),
    ]


def comparison_report(comparison: Comparison) -> Report:
    """Verdict, runs, metrics, differences, costs, curves, configuration and examples."""
    sections: list[Section] = [
        *verdict_sections(comparison),
        _costs(comparison),
        _curves(comparison),
        _configuration(comparison),
        *_alone(comparison),
    ]
    if comparison.notes:
        sections.insert(1, Paragraph("To keep in mind", _sentences(comparison.notes)))
    runs = {run.letter: f"{run.name}: {run.backbone}, {run.preset}" for run in comparison.runs}
    facts = {
        **runs,
        "data": f"{comparison.data}, {comparison.split}",
        plural(comparison.example): f"{comparison.examples:,}",
    }
    count = counted(len(comparison.runs), "run")
    return Report(f"{comparison.task.capitalize()}: {count} on {comparison.data}", facts, sections)


def _sentences(lines: Sequence[str]) -> str:
    """Each on a line of its own, with a capital letter and a full stop."""
    return "\n".join(f"{line[:1].upper()}{line[1:]}." for line in lines)


def _metrics(comparison: Comparison) -> Table:
    runs = comparison.runs
    rows = []
    for name in NAMES:
        if not any(name in run.metrics for run in runs):
            continue
        cells = []
        for run in runs:
            value, interval = figure(run.metrics, name) if name in run.metrics else ("", "")
            cells.append(f"{value}\n{interval.replace(' %', '', 1)}" if interval else value)
        arrow = "↓" if is_less_better(name) else "↑"
        rows.append((f"{NAMES[name]} {arrow}", *cells))
    return Table(
        "Metrics",
        ("", *(run.letter for run in runs)),
        rows,
        "On the same examples, with 95 % intervals. ↑ more is better, ↓ less is better.",
    )


def _differences(comparison: Comparison) -> Table:
    runs = comparison.runs
    rows = [
        (
            f"{runs[row.first].letter} − {runs[row.second].letter}  {NAMES[row.metric]}",
            f"{gap(row.metric, row.difference)}\n{limits(row)}",
            chance(row.p_value).removeprefix("p = "),
            chance(row.corrected).removeprefix("p = "),
            _better(row, runs),
        )
        for row in comparison.differences
    ]
    bleu = " The p-value of BLEU is that of sacrebleu's paired bootstrap, doubled."
    return Table(
        "Differences",
        ("", "Difference", "p", "corrected", "Better"),
        rows,
        "First minus second, with 95 % intervals, by a paired bootstrap of the same examples. The "
        f"corrected p-value allows for {counted(len(rows), 'comparison')} in this table (Holm "
        f"1979); a run is better if it is below 0.05 and the metric rests on {FEWEST} examples or "
        "more, of a text on as many blocks of 1,000 characters. Another random seed in training "
        "gives another model: the test is about these runs, not about their configurations."
        + (bleu if comparison.decides == "bleu" else ""),
    )


def _better(row: Difference, runs: Sequence[ComparedRun]) -> str:
    if row.better is not None:
        return runs[row.better].letter
    return "too few examples" if row.is_of_few else "neither"


def _costs(comparison: Comparison) -> Table:
    sizes = sorted({n for run in comparison.runs for n in run.milliseconds})
    rows: list[tuple[str | float, ...]] = [
        (
            run.letter,
            run.parameters,
            f"{run.megabytes:,.2f} MB",
            *(f"{run.milliseconds[n]:,.1f} ms" for n in sizes),
            f"{run.training_seconds:,.0f} s" if run.training_seconds else "not known",
        )
        for run in comparison.runs
    ]
    return Table(
        "Size and time",
        ("Run", "Parameters", "Weights", *(f"{n} at once" for n in sizes), "Training"),
        rows,
        f"Weights in float32. Times are medians, warm, in one process, the runs in turn, of "
        f"{comparison.asked}. They are of this machine; the training may have been on another.",
    )


def _curves(comparison: Comparison) -> Plot:
    metric = _common_metric(comparison)
    histories = [(run.letter, run.history) for run in comparison.runs]
    return Plot(
        "Learning curves",
        curves_over_seconds(histories, metric),
        f"The {metric_name(metric)} of each run over the seconds of its training.",
        "Each run on its own validation data.",
    )


def _common_metric(comparison: Comparison) -> str:
    """What chose the best weights of a run, if all have it; else the loss."""
    known = [run.history[0] for run in comparison.runs if run.history]
    for run in comparison.runs:
        if run.monitor and all(f"val_{run.monitor}" in columns for columns in known):
            return run.monitor
    return "loss"


def _configuration(comparison: Comparison) -> Table:
    rows = [(key, *values) for key, values in comparison.configuration.items()]
    return Table(
        "Differences of configuration",
        ("Key", *(run.letter for run in comparison.runs)),
        rows,
        "All other keys have the same values." if rows else "All keys have the same values.",
    )


def _alone(comparison: Comparison) -> list[Section]:
    found: list[Section] = []
    for run in comparison.runs:
        if not run.alone:
            continue
        items = [
            (lines[""], {name: line for name, line in lines.items() if name}) for lines in run.shown
        ]
        right = "right" if comparison.exact else "better than every other run"
        most = "" if comparison.exact else " Those with the largest advantage are shown."
        total = counted(comparison.items, comparison.item)
        found.append(
            Texts(
                f"Only {run.letter} is right" if comparison.exact else f"{run.letter} is best",
                items,
                f"{run.letter} alone is {right} on {run.alone:,} of {total}.{most}",
            )
        )
    if not found:
        text = f"No run alone is better than the others on any {comparison.item}."
        found.append(Paragraph("Examples", text))
    return found
