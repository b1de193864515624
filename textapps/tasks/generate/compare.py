"""A generator's part of a comparison with others on the same text."""

from collections.abc import Mapping

import numpy as np

from textapps.datasets.corpus.examples import Corpus
from textapps.evaluation.metrics.language import LanguageFigures, language_metrics
from textapps.tasks.answered import ASKED, Answered, Ask, spread
from textapps.tasks.generate.data import SHOWN
from textapps.tasks.generate.predictor import TextGenerator

PASSAGE = 120  # characters, about two lines
SEED, LENGTH = 20, 100  # characters of a seed and of what is written after it


def answered(generator: TextGenerator, corpus: Corpus) -> Answered:
    """The generator's surprise at the text, also by passages."""
    text = corpus.text
    nats = generator.nats(text).astype(np.float64)
    starts = np.arange(0, len(text), PASSAGE)
    sizes = np.diff([*starts, len(text)])
    means = np.add.reduceat(nats, starts) / sizes if len(starts) else nats
    unknown = generator.preprocessor.unknown(text)

    def item(row: int) -> Mapping[str, str]:
        first = int(starts[row])
        return {
            "": f"from character {first + 1:,}",
            "Passage": " ".join(text[first : first + PASSAGE].split()),
        }

    note = ""
    if unknown:
        shown = "".join(unknown[:SHOWN])
        note = (
            f"does not know {shown} and scores them by the probability of an unknown character, "
            "which makes a small vocabulary look good"
        )
    return Answered(
        identity=corpus.fingerprint,
        metrics=language_metrics(nats),
        scored=LanguageFigures(nats),
        merit=-means,
        exact=False,
        noun="passage",
        item=item,
        told=lambda row: f"{means[row]:.3f} nats per character",
        ask=asking(generator, corpus),
        asked=f"{LENGTH} characters written after each of {ASKED} seeds of {SEED} characters",
        note=note,
    )


def asking(generator: TextGenerator, corpus: Corpus) -> Ask:
    """Continues some pieces of the text."""
    seeds = [corpus.text[row : row + SEED] for row in spread(len(corpus.text))]
    return lambda count: generator.generate(seeds[:count], length=LENGTH)
