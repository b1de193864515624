"""The registry of the kinds of example, by task, for `textapps data`."""

from collections.abc import Mapping
from functools import partial
from importlib import import_module
from typing import NamedTuple

from textapps.core.config import Section, resolve
from textapps.datasets.clips.config import ClipsConfig
from textapps.datasets.config import CorpusConfig, DataConfig, PairsConfig
from textapps.datasets.inspection import Inspection


class Kind(NamedTuple):
    """One kind of example.

    config: its [data] section
    options: the keys that are options of `textapps data`, besides `source` and `data_dir`
    refusal: why the other options are refused
    room: its package in textapps.datasets, with a module `inspection`
    """

    config: type[Section]
    options: frozenset[str]
    refusal: str
    room: str

    def inspect(self, values: Mapping[str, object]) -> Inspection:
        """Inspect the data of a [data] section; ConfigurationError if a value is wrong."""
        if "target_file" in values:
            values = {**values, "source_file": values["source"]}
        config = resolve(self.config, flags=values)
        module = import_module(f"textapps.datasets.{self.room}.inspection")
        return Inspection(partial(module.summarise, config), partial(module.check, config))


_FILES = frozenset({"encoding", "delimiter", "sheet"})

KINDS = {
    "sentiment": Kind(
        DataConfig,
        _FILES | frozenset({"text_column", "label_column"}),
        "labelled texts are neither pairs nor recordings",
        "texts",
    ),
    "generate": Kind(
        CorpusConfig,
        _FILES | frozenset({"text_column"}),
        "a text to continue has neither labels nor pairs",
        "corpus",
    ),
    "translate": Kind(
        PairsConfig,
        _FILES | frozenset({"source_column", "target_column", "target_file"}),
        "pairs have --source-column and --target-column",
        "pairs",
    ),
    "speech": Kind(
        ClipsConfig, _FILES | frozenset({"commands"}), "recordings have only --commands", "clips"
    ),
}
