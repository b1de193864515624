"""The data sets that `--data` knows by name."""

from pathlib import Path
from typing import NamedTuple

from textapps.datasets.prepared import prepared_sets

WELL_KNOWN = {  # name → task and description
    "imdb_reviews": ("sentiment", "film reviews, 2 classes (Maas et al. 2011)"),
    "yelp_polarity_reviews": ("sentiment", "reviews of businesses, 2 classes (Zhang et al. 2015)"),
    "ag_news_subset": ("sentiment", "news by topic, 4 classes (Zhang et al. 2015)"),
    "glue/sst2": ("sentiment", "sentences of film reviews, 2 classes (Socher et al. 2013)"),
    "sentiment140": ("sentiment", "tweets, 2 classes (Go et al. 2009)"),
    "movie_rationales": ("sentiment", "long film reviews, 2 classes (Zaidan et al. 2007)"),
    "tiny_shakespeare": ("generate", "40,000 lines of plays, one text (Karpathy 2015)"),
    "ted_hrlr_translate/pt_to_en": (
        "translate",
        "talks, Portuguese and English (Qi et al. 2018)",
    ),
    "speech_commands": (
        "speech",
        "spoken words, 10 commands, unknown and silence (Warden 2018)",
    ),
}


def task_of(name: str) -> str:
    """The task of a well-known set; "" for any other set.

    >>> task_of("tiny_shakespeare:1.0.0"), task_of("glue/sst2"), task_of("reviews.csv")
    ('generate', 'sentiment', '')
    """
    return WELL_KNOWN.get(name.partition(":")[0], ("", ""))[0]


class Entry(NamedTuple):
    """A name for `--data`.

    task: "" if the set suits every task, or if that is unknown
    directory: None if the set must be downloaded
    """

    name: str
    state: str
    task: str
    description: str
    directory: Path | None


def catalogue(data_dir: Path) -> list[Entry]:
    """The bundled sample, the well-known sets, and all sets prepared in `data_dir`."""
    prepared = {}
    for one in prepared_sets(data_dir):
        # A well-known set is listed by its short name, which means its newest version.
        prepared[one.name if one.name in WELL_KNOWN else str(one)] = one.directory
    sample = "made up: film reviews in 2 classes, verses, sentence pairs, or spoken words"
    entries = [Entry("sample", "bundled", "", sample, None)]
    for name in dict.fromkeys([*WELL_KNOWN, *prepared]):
        state = "prepared" if name in prepared else "to download"
        entries.append(Entry(name, state, *WELL_KNOWN.get(name, ("", "")), prepared.get(name)))
    return entries
