"""Words that a recogniser learns from a few recordings."""

import tempfile
import time
from pathlib import Path
from statistics import mean, median
from typing import Any

import numpy as np
from pydantic import Field

from benchmarks.benchmark import Benchmark, Context
from benchmarks.results import Figures, rounded
from benchmarks.suites.small_data import drawn
from textapps.core.errors import ConfigurationError


class AddedWords(Benchmark):
    """Adds each word by several draws of recordings from the training split.

    The new last layer then recognises the clips of the test split, whose speakers are others:
    `recall` is the share of the word's own that are taken for it, `false_accepts` that of all other
    unknown words, and `commands_lost` that of the commands.
    """

    data: str | None = Field(None, description="a folder of Speech Commands")
    run: str = Field(description="the run to add to")
    word: tuple[str, ...] = Field(description="the words, each added alone")
    recordings: int = Field(description="of a word, each of another speaker")
    draws: int = Field(description="of recordings")
    share: float = Field(
        description="of other words' clips that a word may take, as --false-accepts"
    )

    def measure(self, context: Context) -> Figures:
        if self.data is None:
            raise ConfigurationError(f"{self.name} needs --data DIR (see benchmarks/README.md)")
        from textapps import load
        from textapps.datasets.clips.sources import open_clips
        from textapps.tasks.speech.data import load_words
        from textapps.tasks.speech.negatives import embedded, last_layer, own_negatives
        from textapps.tasks.speech.vocabulary import add_word, with_data

        recognizer = with_data(load("speech", self.run), self.data)
        train = open_clips(self.data, recognizer.config.data).examples("train")
        test = load_words(recognizer.config, "test", recognizer.labels)
        negatives = own_negatives(recognizer)
        embeddings = embedded(recognizer, test.waveforms()).embeddings
        said = np.array(test.words)
        command = np.isin(said, recognizer.commands)
        unknown = ~command & (said != "silence")
        found: dict[str, list[Figures]] = {}
        for word in self.word:
            speakers = {one.speaker: one.place for one in train if one.word == word}
            places = np.array(sorted(speakers.values()))
            for draw in range(self.draws):
                chosen = places[drawn(len(places), self.recordings, draw)]
                started = time.perf_counter()
                with tempfile.TemporaryDirectory(prefix="textapps-benchmark-") as folder:
                    files = list(map(Path, chosen))
                    added = add_word(
                        recognizer,
                        word,
                        files,
                        folder,
                        false_accepts=self.share,
                        negatives=negatives,
                    )
                seconds = time.perf_counter() - started
                kernel, bias = last_layer(added.recognizer)
                labels = added.recognizer.labels
                taken = np.argmax(embeddings @ kernel + bias, axis=1) == labels.index(word)
                figures = {
                    "recall": float(taken[said == word].mean()),
                    "false_accepts": float(taken[unknown & (said != word)].mean()),
                    "commands_lost": float(taken[command].mean()),
                    "seconds": seconds,
                }
                found.setdefault(word, []).append(figures)
        every = [figures for draws in found.values() for figures in draws]
        return {
            "run": self.run,
            "data": Path(self.data).name,
            "recordings": self.recordings,
            "draws": self.draws,
            "share": self.share,
            "test_clips": {
                "other words": int(unknown.sum()),
                "commands": int(command.sum()),
                **{word: int((said == word).sum()) for word in self.word},
            },
            **summary(every),
            "words": {word: summary(draws) for word, draws in found.items()},
        }


def summary(draws: list[Figures]) -> dict[str, Any]:
    """Means over draws, extremes, and the median time without reading the run's own clips."""
    means = {key: mean(each[key] for each in draws) for key in draws[0] if key != "seconds"}
    least = min(each["recall"] for each in draws)
    most = max(each["false_accepts"] for each in draws)
    seconds = median(each["seconds"] for each in draws)
    return rounded(
        {**means, "least_recall": least, "most_false_accepts": most, "seconds": seconds}, 4
    )
