"""The data sets that can be named without a path."""

from pathlib import Path
from typing import NamedTuple

from textapps.datasets.prepared import prepared_sets

WELL_KNOWN = {
    "imdb_reviews": "film reviews, 2 classes (Maas et al. 2011)",
    "yelp_polarity_reviews": "reviews of businesses, 2 classes (Zhang et al. 2015)",
    "ag_news_subset": "news by topic, 4 classes (Zhang et al. 2015)",
    "glue/sst2": "sentences of film reviews, 2 classes (Socher et al. 2013)",
    "sentiment140": "tweets, 2 classes (Go et al. 2009)",
    "movie_rationales": "long film reviews, 2 classes (Zaidan et al. 2007)",
    "tiny_shakespeare": "40,000 lines of plays, one text (Karpathy 2015)",
    "ted_hrlr_translate/pt_to_en": "talks, Portuguese and English (Qi et al. 2018)",
    "speech_commands": "spoken words, 10 commands, unknown and silence (Warden 2018)",
}
TEXTS = ("tiny_shakespeare",)  # those to learn to continue, without classes
PAIRS = ("ted_hrlr_translate/pt_to_en",)  # those of sentences and their translations
CLIPS = ("speech_commands",)  # those of recordings


def task_of(name: str) -> str:
    """The task that a well-known set is for; "" for any other.

    >>> task_of("tiny_shakespeare:1.0.0"), task_of("glue/sst2"), task_of("reviews.csv")
    ('generate', 'sentiment', '')
    """
    known = name.partition(":")[0]
    if known not in WELL_KNOWN:
        return ""
    tasks = {"generate": TEXTS, "translate": PAIRS, "speech": CLIPS}
    return next((task for task, names in tasks.items() if known in names), "sentiment")


class Entry(NamedTuple):
    """A name for `--data`; `directory` is None where the set would have to be downloaded.

    task: what it is for, "" where it is for every task or unknown
    """

    name: str
    state: str
    task: str
    description: str
    directory: Path | None


def catalogue(data_dir: Path) -> list[Entry]:
    """The bundled sample, well-known sets, and all that is prepared in `data_dir`."""
    prepared = {}
    for one in prepared_sets(data_dir):
        # A well-known set goes by its short name, which means its newest version.
        prepared[one.name if one.name in WELL_KNOWN else str(one)] = one.directory
    sample = "made up: film reviews in 2 classes, verses, sentence pairs, or spoken words"
    return [Entry("sample", "bundled", "", sample, None)] + [
        Entry(
            name,
            "prepared" if name in prepared else "to download",
            task_of(name),
            WELL_KNOWN.get(name, ""),
            prepared.get(name),
        )
        for name in [*WELL_KNOWN, *(name for name in prepared if name not in WELL_KNOWN)]
    ]
