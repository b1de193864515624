"""The part of docs/results.md on text generation."""

from collections.abc import Iterable

from benchmarks import results
from benchmarks.markdown import ABSENT, BACKBONES, Result, preset_name, table, text

# Nats per character of the last tenth of tinyshakespeare, as nanoGPT's page has them.
PUBLISHED = (
    ("nanoGPT, 10.7 million parameters, on a GPU", "1.4697"),
    ("nanoGPT, its settings for a CPU", "1.88"),
)


def sections() -> Iterable[str]:
    yield "## Text: nats per character of tinyshakespeare"
    yield (
        "Of every character of the last tenth, given those before it, in a full pass; the first "
        "nine tenths are for training. The last tenth also chooses the weights, as in the figures "
        "of others. The interval holds 95 % over blocks of the text. The n-gram model is fitted "
        "on the same nine tenths; its order is the best on the last tenth."
    )
    rows = []
    for preset, kind in [("small", kind) for kind in BACKBONES] + [("base", "gru")]:
        result = results.read_result(f"generate-{preset}-{kind}")
        rows.append(
            (
                preset_name(preset, kind),
                _nats(result),
                text(result, "parameters", ",.0f", absent=""),
                text(result, "passes", ".1f", absent=""),
                text(result, "training_seconds", ",.0f", absent=""),
                text(result, "wall_seconds", ",.0f", absent=""),
                text(result, "peak_memory_mb", ",.0f", absent=""),
            )
        )
    comparison = results.read_result("nanogpt")
    if comparison:
        ngrams = comparison["ngrams"]
        nats = f"{ngrams['nats_per_character']:.4f}"
        rows.append((f"n-grams up to {ngrams['order']} characters", nats, *[""] * 5))
    heading = ("", "nats", "parameters", "passes", "steps, s", "whole, s", "peak memory, MB")
    yield table(heading, rows)
    yield (
        "Published on the same split (<https://github.com/karpathy/nanoGPT>), there on random "
        "pieces of it:"
    )
    yield table(("", "nats"), PUBLISHED)
    yield from _comparison(comparison)
    yield from _speed(results.read_result("generation"))
    yield from _memory(results.read_result("copy-task"))


def _comparison(result: Result | None) -> Iterable[str]:
    yield "### For the same time as nanoGPT's recipe"
    if result is None:
        yield f"Nats: {ABSENT}."
        return
    yield (
        f"The recipe for a CPU in PyTorch, its cosine fitted to the time: both trained for "
        f"{result['seconds_of_training']:.0f} s, one after the other, and evaluated on every "
        "character of the last tenth."
    )
    ours, recipe, margin = result["textapps"], result["recipe"], result["margin"]
    yield table(
        ("", "nats", "parameters", "steps"),
        [
            (
                preset_name(ours["preset"], ours["backbone"]),
                _interval(ours),
                f"{ours['parameters']:,}",
                f"{ours['steps']:,}",
            ),
            (
                "nanoGPT's recipe",
                _interval(recipe),
                text(recipe, "parameters", ",.0f", absent=""),
                text(recipe, "steps", ",.0f", absent=""),
            ),
        ],
    )
    yield (
        f"The margin is {margin['difference']:.4f} nats "
        f"({margin['low']:.4f} to {margin['high']:.4f}, paired)."
    )


def _speed(result: Result | None) -> Iterable[str]:
    yield "### Characters generated a second"
    if result is None:
        yield f"{ABSENT}."
        return
    yield (
        f"Texts of {result['characters']:,} characters, the median of {result['rounds']} rounds in "
        "which every side has its turn in a process of its own. Compiled: as `textapps generate` "
        "does for long texts. Exported: the default signature, which needs no compiler. PyTorch: "
        "a loop over characters in Python; the recurrent one keeps its state, the transformer "
        "reads its whole context for each character. Compiling comes before the first text and is "
        "not counted; the last column has the seconds of the first text."
    )
    rows = []
    for label, case in result["cases"].items():
        sides, times = case["sides"], case["times_pytorch"]
        rows.append(
            (
                label,
                *(f"{sides[side]['median_per_second']:,}" for side in sides),
                *(f"{times[side]:.2f} ×" for side in times),
                f"{sides['compiled']['first_seconds']:.1f}",
            )
        )
    yield table(
        (
            "",
            "compiled",
            "exported",
            "PyTorch",
            "compiled, times PyTorch",
            "exported, times PyTorch",
            "first text compiled, s",
        ),
        rows,
    )


def _memory(result: Result | None) -> Iterable[str]:
    yield "### A symbol remembered"
    if result is None:
        yield f"{ABSENT}."
        return
    yield (
        f"The copy task: how many of {result['test_sequences']:,} new sequences are answered with "
        "the symbol that they began with, so many steps before. Chance is "
        f"{result['chance']:.1%}. In brackets the steps of training, which ends after ten batches "
        "without a mistake."
    )
    kinds = [kind for kind in BACKBONES if kind in result["backbones"]]
    rows = [
        (
            f"{distance} steps",
            *(
                f"{found['accuracy']:.1%} ({found['steps']:,})"
                for found in (result["backbones"][kind][distance] for kind in kinds)
            ),
        )
        for distance in result["backbones"][kinds[0]]
    ]
    yield table(("", *(f"`{kind}`" for kind in kinds)), rows)


def _nats(result: Result | None) -> str:
    return ABSENT if result is None else _interval(result["metrics"])


def _interval(metrics: Result) -> str:
    low, high = metrics["nats_per_character_low"], metrics["nats_per_character_high"]
    return f"**{metrics['nats_per_character']:.4f}** ({low:.4f} to {high:.4f})"
