"""Speeds beside those of PyTorch; a side that it lacks is left out and told."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

from pydantic import Field

from benchmarks.benchmark import Comparison, Context
from benchmarks.results import Figures
from benchmarks.sides import rates
from benchmarks.suites.search_sides import BEAMS, SOURCE
from textapps.training.run_directory import RunDirectory

ENOUGH = 0.7  # of the answers are the same on both sides, or it is not the same that is timed
CLOSE = 1e-4  # scores of equal answers, as a share of them
COMPILED = "textapps-compiled"
SIZES = ("vocabulary", "units", "layers", "heads", "feed_forward")

Answers = Mapping[str, Sequence[dict[str, Any]]]  # of each side, one a round
CALLS = ("waveform", "serving_default", "float", "int8")
SAME_LOGITS = 1e-3  # how far those of two sides with the same weights may be apart


class Generation(Comparison):
    """Characters generated a second: compiled, by the exported graph, and by a loop in PyTorch."""

    characters: int = Field(description="of each text")
    cases: tuple[Mapping[str, Any], ...]

    def measure(self, context: Context) -> Figures:
        length = {"characters": self.characters}
        seconds, left_out = self.asked([{**case, **length} for case in self.cases])
        cases = {
            case["label"]: generation_rates(taken, case["texts"] * self.characters)
            for case, taken in zip(self.cases, seconds, strict=True)
        }
        return {**length, "rounds": self.rounds, "left_out": left_out, "cases": cases}


def generation_rates(taken: Mapping[str, Sequence[float]], characters: int) -> Figures:
    """Characters a second of each side, and how many times as many as in PyTorch."""
    sides = {
        side: {**rates(seconds[1:], characters), "first_seconds": round(seconds[0], 2)}
        for side, seconds in taken.items()
    }
    middle = {side: each["median_per_second"] for side, each in sides.items()}
    base = middle.pop("pytorch", None)
    times = {side: round(rate / base, 2) for side, rate in middle.items()} if base else {}
    return {"sides": sides, "times_pytorch": times}


class Case(NamedTuple):
    """How many sentences at once, and how many tokens an answer has."""

    batch: int
    length: int


class SearchSpeed(Comparison):
    """Sentences translated a second by beam search, beside loops in PyTorch, at several lengths.

    Several sentences and one are translated at a time, one of the first two lengths only.
    The weights are drawn so that every answer goes on to the length asked for, and all sides have
    the same: how many of their answers are the same is told, and fewer than seven in ten are an
    error. PyTorch has a cache of keys and values, or none, as in Joey NMT and in tutorials.
    """

    batch: int = Field(description="sentences at once")
    length: tuple[int, ...] = Field(description="tokens of an answer")
    vocabulary: int = Field(description="tokens known")
    units: int = Field(description="width")
    layers: int = Field(description="of encoder and decoder each")
    heads: int = Field(description="of attention")
    feed_forward: int = Field(description="its inner width")

    def measure(self, context: Context) -> Figures:
        several = [Case(self.batch, length) for length in self.length]
        cases = [*several, *(Case(1, length) for length in self.length[:2])]
        sizes = self.model_dump(include=set(SIZES))
        answers, left_out = self.asked(cases, **sizes)
        known = {"beams": BEAMS, "source_tokens": SOURCE, "sizes": sizes, "rounds": self.rounds}
        found = search_rates(dict(zip(cases, answers, strict=True)))
        return {**known, "left_out": left_out, **found}


def search_rates(answers: Mapping[Case, Answers]) -> Figures:
    """Sentences a second of each side, their ratios, and what doubling the length costs."""
    cases = []
    middle: dict[Case, dict[str, float]] = {}
    for case, sides in answers.items():
        taken = {side: [each["seconds"] for each in found[1:]] for side, found in sides.items()}
        seconds = middle[case] = {side: median(each) for side, each in taken.items()}
        first = {side: round(found[0]["seconds"], 2) for side, found in sides.items()}
        own = seconds["textapps"]
        figures = {
            **case._asdict(),
            "sides": {
                side: {**rates(each, case.batch, 2), "first_seconds": first[side]}
                for side, each in taken.items()
            },
            "times": {s: round(each / own, 2) for s, each in seconds.items() if s != "textapps"},
        }
        if "pytorch" in sides:
            if COMPILED in sides:
                agreement(sides[COMPILED][0], sides["pytorch"][0])
                ratio = seconds["pytorch"] / seconds[COMPILED]
                figures["compiled_times_pytorch"] = round(ratio, 2)
            figures |= agreement(sides["textapps"][0], sides["pytorch"][0])
        cases.append(figures)
    doubled = {
        f"{short.length} to {long.length}": {
            side: round(middle[long][side] / taken, 2) for side, taken in middle[short].items()
        }
        for short, long in pairwise(middle)
        if short.batch == long.batch and long.length == 2 * short.length
    }
    return {"cases": cases, "doubled": doubled}


def agreement(ours: dict[str, Any], other: dict[str, Any]) -> dict[str, float]:
    """The share of equal answers, and by which share the scores of equal ones differ.

    Not all are equal: sums in another order may tell beams apart that are nearly as good, which
    long answers do more often, and ours keeps the greedy sequence.
    """
    scores = zip(ours["scores"], other["scores"], strict=True)
    same = [one == two for one, two in zip(ours["ids"], other["ids"], strict=True)]
    apart = [abs(one / two - 1) for equal, (one, two) in zip(same, scores, strict=True) if equal]
    share, furthest = sum(same) / len(same), max(apart, default=0.0)
    if share < ENOUGH or furthest > CLOSE:
        raise RuntimeError(
            f"not the same search: {share:.0%} of the answers are equal, and their scores differ "
            f"by up to {furthest:.1e} of them"
        )
    return {"same_answers": round(share, 4), "score_difference": float(f"{furthest:.2g}")}


class SpeechSpeed(Comparison):
    """Clips a second in training, beside PyTorch, and what one clip takes to be answered.

    Both sides have the sizes and weights of a run of a recurrent backbone with one block. A step of
    training makes spectrograms and a clipped, averaged update of AdamW, with nothing drawn but what
    the model drops. One clip is answered by the SavedModel, as samples and as a WAV file, and by
    its LiteRT files on one core.
    """

    trained: str
    run: str = Field("", description="a finished run, by default the GRU of `speech`")
    batch: int = Field(description="clips in a step of training")
    steps: int = Field(description="of training, each time")

    def measure(self, context: Context) -> Figures:
        run = Path(self.run or RunDirectory.latest(context.work / self.trained, "speech").path)
        sizes = self.model_dump(include={"batch", "steps"})
        (trained, *called), left_out = self.asked(("train", *CALLS), run=str(run), **sizes)
        calls = {
            f"{side} {question}": seconds
            for question, sides in zip(CALLS, called, strict=True)
            for side, seconds in sides.items()
            if seconds[0] is not None
        }
        known = {"run": run.name, **sizes, "rounds": self.rounds, "left_out": left_out}
        trainings = {side: found for side, found in trained.items() if found[0] is not None}
        return {**known, **speech_rates(trainings, calls, self.batch * self.steps)}


def speech_rates(
    trained: Mapping[str, Sequence[Figures]], called: Mapping[str, Sequence[float]], clips: int
) -> Figures:
    """Clips a second and their ratio, milliseconds a clip; RuntimeError if logits differ."""
    seconds = {side: [each["seconds"] for each in found[1:]] for side, found in trained.items()}
    figures: Figures = {"training": {side: rates(each, clips, 1) for side, each in seconds.items()}}
    if "pytorch" in trained:
        pairs = zip(*(found[0]["logits"] for found in trained.values()), strict=True)
        apart = max(abs(one - other) for one, other in pairs)
        if apart > SAME_LOGITS:
            raise RuntimeError(f"not the same model: logits differ by {apart:.2g}")
        ratio = median(seconds["pytorch"]) / median(seconds["textapps"])
        figures |= {"times_pytorch": round(ratio, 2), "logits_apart": float(f"{apart:.2g}")}
    milliseconds = {name: round(1_000 * median(each[1:]), 2) for name, each in called.items()}
    return {**figures, "milliseconds_per_clip": milliseconds}
