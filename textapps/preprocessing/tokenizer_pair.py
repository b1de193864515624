"""The tokenizers of both languages: a shared one, or one for each."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from textapps.preprocessing.config import SubwordConfig
from textapps.preprocessing.tokenizer import Tokenizer

JOINT, SOURCE, TARGET = "joint", "source", "target"


class TokenizerPair:
    """The tokenizers of source and target; `source is target` if the vocabulary is joint.

    Only `learn` and `load` know the kind of tokens.
    """

    def __init__(self, source: Tokenizer, target: Tokenizer) -> None:
        self.source = source
        self.target = target

    @property
    def joint(self) -> bool:
        """Whether both languages share ids, and can therefore share embeddings."""
        return self.source is self.target

    @property
    def resources(self) -> list[Any]:
        """The resources that an export must track."""
        return self.source.resources + ([] if self.joint else self.target.resources)

    @classmethod
    def learn(
        cls, sources: Sequence[str], targets: Sequence[str], config: SubwordConfig
    ) -> tuple["TokenizerPair", tuple[Any, Any], tuple[Any, Any]]:
        """Learns from the sentences of the training split.

        Returns it with the ids of the sources and of the targets, as `encode_all` gives them.

        Raises:
            ConfigurationError: the vocabulary size is too small for the texts.
            DataError: there is nothing to learn from.
        """
        kind = _kind(config)
        if config.joint:
            both, (source_ids, target_ids) = kind.learn((sources, targets), config)
            return cls(both, both), source_ids, target_ids
        source, (source_ids,) = kind.learn((sources,), config, SOURCE)
        target, (target_ids,) = kind.learn((targets,), config, TARGET)
        return cls(source, target), source_ids, target_ids

    def save(self, directory: Path) -> None:
        """Writes what was learned: `joint/`, or `source/` and `target/`."""
        parts = {JOINT: self.source} if self.joint else {SOURCE: self.source, TARGET: self.target}
        for name, tokenizer in parts.items():
            (directory / name).mkdir()
            tokenizer.save(directory / name)

    @classmethod
    def load(cls, directory: Path, config: SubwordConfig) -> "TokenizerPair":
        """Reads what `save` wrote.

        Raises:
            RunError: something is missing or damaged.
        """
        kind = _kind(config)
        if config.joint:
            both = kind.load(directory / JOINT, config)
            return cls(both, both)
        return cls(kind.load(directory / SOURCE, config), kind.load(directory / TARGET, config))


def _kind(config: SubwordConfig) -> Any:
    # Imported when needed: only one of them needs TensorFlow Text.
    if config.tokens == "subword":
        from textapps.preprocessing.subwords import SubwordTokenizer

        return SubwordTokenizer
    from textapps.preprocessing.plain_tokens import PlainTokenizer

    return PlainTokenizer
