"""The part of docs/results.md on translation."""

from collections.abc import Iterable
from typing import Any

from benchmarks import results
from benchmarks.markdown import ABSENT, BACKBONES, Result, preset_name, table, text

# BLEU on test_2016_flickr as others print it: on tokens that they cut themselves.
PUBLISHED = (
    (
        "4 and 4 layers, 128 wide, text alone, checkpoints averaged",
        "41.0",
        "Wu et al.: Good for misconceived reasons. ACL 2021, arXiv:2105.14462",
    ),
)
ATTENTIONS = ("multi-head", "dot", "additive", "none")
OWN = "multi-head"
WAYS = (("en-es", "English to Spanish"), ("es-en", "Spanish to English"))


def sections() -> Iterable[str]:
    yield "## Translation: BLEU on Multi30k, English to German"
    yield (
        "The 1,000 sentences of test_2016_flickr, never looked at before; 29,000 pairs are for "
        "training, and greedy BLEU on 1,000 validation sentences chooses the weights. BLEU and "
        "chrF are sacrebleu's, cased, as the signatures in the files say; the interval holds 95 % "
        "over the choice of sentences. The beam is what the preset has, and greedy stands beside "
        "it."
    )
    rows = [("small", kind) for kind in BACKBONES] + [("base", "transformer")]
    yield table(
        _HEADING,
        [
            _row(preset_name(*row), results.read_result("translate-" + "-".join(row)))
            for row in rows
        ],
    )
    yield (
        "Published, on the same sentences, but as BLEU of tokens cut by its authors, which is "
        "not quite the same scale:"
    )
    yield table(("", "BLEU", "source"), PUBLISHED)
    yield from _attention()
    yield from _tatoeba()
    yield from _speed(results.read_result("search"))


_HEADING = (
    "",
    "BLEU",
    "chrF",
    "BLEU, greedy",
    "parameters",
    "passes",
    "steps, s",
    "whole, s",
    "peak memory, MB",
)


def _row(label: str, result: Result | None) -> tuple[str, ...]:
    if result is None:
        return (label, ABSENT, *[""] * 7)
    alone = result["machine"]["cores"] == 1
    return (
        f"{label}, on one core" if alone else label,
        f"**{result['metrics']['bleu']:.2f}** {_interval(result)}",
        f"{result['metrics']['chrf']:.2f}",
        f"{result['searches']['greedy']['bleu']:.2f}",
        text(result, "parameters", ",.0f", absent=""),
        text(result, "passes", ".1f", absent=""),
        text(result, "training_seconds", ",.0f", absent=""),
        text(result, "wall_seconds", ",.0f", absent=""),
        text(result, "peak_memory_mb", ",.0f", absent=""),
    )


def _interval(result: Result) -> str:
    metrics = result["metrics"]
    return f"({metrics['bleu_low']:.2f} to {metrics['bleu_high']:.2f})"


def _attention() -> Iterable[str]:
    yield "### What attention buys"
    yield (
        "BLEU on the same sentences, preset `small`, by how the decoder looks at the source; with "
        "`none` it has one vector instead, the mean of the encoder's outputs."
    )
    found = {
        (kind, attention): results.read_result(
            f"translate-small-{kind}" + ("" if attention == OWN else f"-{attention}")
        )
        for kind in BACKBONES
        for attention in ATTENTIONS
    }
    kinds = [
        attention
        for attention in ATTENTIONS
        if attention in (OWN, "none") or any(found[kind, attention] for kind in BACKBONES)
    ]
    yield table(
        ("", *(f"`{attention}`" for attention in kinds)),
        [
            (f"`{kind}`", *(_bleu(found[kind, attention]) for attention in kinds))
            for kind in BACKBONES
        ],
    )


def _bleu(result: Result | None) -> str:
    return ABSENT if result is None else f"{result['metrics']['bleu']:.2f} {_interval(result)}"


def _tatoeba() -> Iterable[str]:
    yield "### Tatoeba, English and Spanish"
    yield (
        "At most 2,000 sentences kept apart by their English side, of which neither side stands "
        "in training, in an order by hash."
    )
    yield table(
        _HEADING,
        [
            _row(
                f"{label}, {preset_name('small', 'transformer')}",
                results.read_result(f"translate-tatoeba-{way}-small-transformer"),
            )
            for way, label in WAYS
        ],
    )


def _beside(case: Any, side: str) -> tuple[str, str]:
    rate, times = case["sides"][side]["median_per_second"], case["times"][side]
    return f"{rate:,.1f}", f"{times:.2f} ×"


def _speed(result: Result | None) -> Iterable[str]:
    yield "### Sentences translated a second"
    if result is None:
        yield f"{ABSENT}."
        return
    sizes = " ".join(result["sizes"]) or "4 and 4 layers, 128 wide, 8,000 tokens"
    yield (
        f"A transformer ({sizes}), {result['beams']} beams, sources of {result['source_tokens']} "
        f"tokens, from ids to ids: the median of {result['rounds']} rounds in which all sides "
        "have their turn, each in a process of its own. PyTorch: a loop in Python, over a cache of "
        "keys and values, or over all tokens again at every step. All have the same weights, drawn "
        "so that every answer has the length named; “same” is the share of answers that are "
        "letter for letter those of PyTorch."
    )
    yield table(
        (
            *("sentences at once", "tokens", "textapps", "PyTorch", "times"),
            *("PyTorch without cache", "times", "same"),
        ),
        [
            (
                f"{case['batch']}",
                f"{case['length']}",
                f"{case['sides']['textapps']['median_per_second']:,.1f}",
                *_beside(case, "pytorch"),
                *_beside(case, "pytorch-uncached"),
                f"{case['same_answers']:.1%}",
            )
            for case in result["cases"]
        ],
    )
    if result["doubled"]:
        costs = [
            f"{tokens} tokens {times['textapps']:.2f} × (PyTorch {times['pytorch']:.2f} ×)"
            for tokens, times in result["doubled"].items()
        ]
        yield f"Answers of twice the length take, from {'; from '.join(costs)}."
