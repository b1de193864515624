"""The part of docs/results.md on speech."""

from collections.abc import Iterable

from benchmarks import results
from benchmarks.markdown import ABSENT, BACKBONES, Result, preset_name, table, text

EXPECTED = (
    *(("closed", "small", kind, False) for kind in BACKBONES),
    ("closed", "tiny", "gru", False),
    ("closed", "base", "gru", False),
    ("closed", "small", "gru", True),
    ("open", "small", "gru", False),
    ("open", "base", "gru", False),
    ("open", "small", "gru", True),
)
RATIOS_DB = (20, 10, 5, 0)


def sections() -> Iterable[str]:
    yield "## Speech: eight commands of Speech Commands"
    yield (
        "yes, no, left, right, happy, cat, bed and down, in %, on the clips of Speech Commands' "
        "own test split, whose speakers are in no other; the validation split chooses the weights. "
        "Of the closed set nothing but commands is heard. In the open one a tenth of the clips "
        "are other words, most of which have few clips to train on, and a tenth is silence; "
        "“false accepts” is the share of other words that were taken for a command. The interval "
        "holds 95 % over the choice of clips."
    )
    found = {row: results.read_result(name(*row)) for row in EXPECTED}
    yield table(
        (
            "",
            "accuracy",
            "worst tenth of speakers",
            "false accepts",
            "parameters",
            "passes",
            "steps, s",
            "whole, s",
            "peak memory, MB",
        ),
        [_row(label(*row), result) for row, result in found.items()],
    )
    yield "### In noise"
    yield "Accuracy with background noise mixed in, by the ratio of signal and noise."
    yield table(
        ("", "clean", *(f"{ratio} dB" for ratio in RATIOS_DB)),
        [
            (label(*row), *(_percent(result, key) for key in _NOISE))
            for row, result in found.items()
            if result
        ],
    )
    yield "### Files of LiteRT"
    yield (
        "Front end included. Weights of 8 bits against weights of 32 on the same clips: how many "
        "only one of them answered rightly."
    )
    yield table(
        ("", "kB, float", "kB, int8", "float", "int8", "only float right", "only int8 right"),
        [_lite(label(*row), result) for row, result in found.items() if result],
    )
    yield from _speed(results.read_result("speech-speed"))


_NOISE = ("accuracy", *(f"accuracy_{ratio}_db" for ratio in RATIOS_DB))


def name(kind_of_set: str, preset: str, kind: str, streaming: bool) -> str:
    """Of the result, without .json."""
    return "-".join(["speech", kind_of_set, preset, kind, *(["streaming"] * streaming)])


def label(kind_of_set: str, preset: str, kind: str, streaming: bool) -> str:
    return f"{kind_of_set}: {preset_name(preset, kind)}{', streaming' if streaming else ''}"


def _row(label: str, result: Result | None) -> tuple[str, ...]:
    if result is None:
        return (label, ABSENT, *[""] * 7)
    metrics = result["metrics"]
    low, high = (100 * metrics[f"accuracy_{end}"] for end in ("low", "high"))
    return (
        label,
        f"**{100 * metrics['accuracy']:.2f}** ({low:.2f} to {high:.2f})",
        _percent(result, "speaker_worst_decile"),
        _percent(result, "false_accept_rate"),
        text(result, "parameters", ",.0f", absent=""),
        text(result, "passes", ".1f", absent=""),
        text(result, "training_seconds", ",.0f", absent=""),
        text(result, "wall_seconds", ",.0f", absent=""),
        text(result, "peak_memory_mb", ",.0f", absent=""),
    )


def _percent(result: Result, key: str) -> str:
    value = result["metrics"].get(key)
    return "" if value is None else f"{100 * value:.2f}"


def _lite(label: str, result: Result) -> tuple[str, ...]:
    lite = result["lite"]
    pairs = lite["int8_against_float"]
    return (
        label,
        *(f"{lite['bytes'][kind] / 1_000:.0f}" for kind in ("float", "int8")),
        *(f"{100 * lite['accuracy'][kind]:.2f}" for kind in ("float", "int8")),
        str(pairs["only_float_right"]),
        str(pairs["only_int8_right"]),
    )


def _speed(result: Result | None) -> Iterable[str]:
    yield "### Clips a second"
    if result is None:
        yield f"{ABSENT}."
        return
    yield (
        f"Training in batches of {result['batch']} clips, spectrogram included, with the same "
        "weights on both sides: the median of "
        f"{result['rounds']} rounds in which every side has its turn, each in a process of its "
        "own; and the milliseconds in which one clip is answered."
    )
    yield table(
        ("", "clips a second", "least", "most"),
        [
            (
                {"textapps": "textapps", "pytorch": "PyTorch"}[side],
                *(f"{figures[key]:,.0f}" for key in _RATES),
            )
            for side, figures in result["training"].items()
        ],
    )
    yield f"textapps trains {result['times_pytorch']:.2f} times as fast as PyTorch."
    yield table(
        ("one clip", "ms"),
        [(_CALLS[key], f"{value:.1f}") for key, value in result["milliseconds_per_clip"].items()],
    )


_RATES = ("median_per_second", "least_per_second", "most_per_second")
_CALLS = {
    "saved_model waveform": "SavedModel, samples",
    "saved_model serving_default": "SavedModel, a WAV file",
    "lite float": "LiteRT, one core",
    "lite int8": "LiteRT, one core, int8",
}
