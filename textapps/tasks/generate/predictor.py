"""A trained character-level language model."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from textapps.core.config import resolve
from textapps.core.errors import ConfigurationError
from textapps.core.tokens import FIRST
from textapps.decoding.config import DecodingConfig
from textapps.preprocessing.characters import CharacterPreprocessor, normal_text
from textapps.tasks.generate.adaptation import Adaptation, adapted_nats
from textapps.tasks.generate.config import GenerateConfig
from textapps.tasks.generate.continuation import PIECE, Continuation
from textapps.tasks.generate.data import encode_from_start, scoring_batches
from textapps.tasks.generate.model import LanguageModel
from textapps.tasks.predictor import TrainedPredictor, several

LOGGER = logging.getLogger("textapps")
STREAMED = 16  # characters in a piece of `stream`


class TextGenerator(TrainedPredictor[GenerateConfig, CharacterPreprocessor, LanguageModel]):
    """Continues texts, and tells how surprising a text is: `generator.generate(["ROMEO:"])`."""

    def set_up(self) -> None:
        """Makes the graphs that score and that continue texts."""
        self._read = tf.function(self._read_chunk, autograph=False, reduce_retracing=True)
        self._continuation = Continuation(self.model, self.preprocessor)

    def generate(self, seeds: Sequence[str], random_seed: int = 0, **options: object) -> list[str]:
        """Continues each seed; the returned text is without the seed.

        Args:
            seeds: texts to continue; "" starts a new one.
            random_seed: text i uses `random_seed + i`; the same number gives the same text again,
                whatever the other seeds are.
            options: of the [decoding] section, in place of the run's.

        Raises:
            ConfigurationError: an option is unknown or out of its range.
            TypeError: one seed instead of a list.
        """
        pieces = zip(*self._pieces(seeds, random_seed, PIECE, options), strict=True)
        return ["".join(row) for row in pieces]

    def stream(
        self, seeds: Sequence[str], random_seed: int = 0, **options: object
    ) -> Iterator[list[str]]:
        """As `generate`, but yields some characters of every text at a time.

        What has been yielded is final; a stop text is never part of it.
        """
        return self._pieces(seeds, random_seed, STREAMED, options)

    def nats(self, text: str, adaptation: Adaptation | None = None) -> NDArray[np.float32]:
        """The surprise of each character given those before it: float32[characters], in nats.

        A character that training has not seen is scored by the probability of an unknown one.
        With `adaptation` the model also learns from what it has read of the text, until its end.
        """
        if not normal_text(text, self.preprocessor.form):  # it may have invisible characters only
            return np.zeros(0, np.float32)
        if adaptation is not None:
            ids = encode_from_start(self.preprocessor, text)
            return adapted_nats(self.model, ids, adaptation)
        source = scoring_batches(self.config, self.preprocessor, text)
        state, parts = None, []
        for step in range(source.steps_per_pass):
            inputs, targets, _ = source.batch(0, step)
            if state is None:
                state = self.model.initial_state(len(targets))
            nats, state = self._read(tf.constant(inputs["ids"]), tf.constant(targets), state)
            parts.append(nats.numpy())
        return source.in_order(np.concatenate(parts, axis=1))

    def _pieces(
        self, seeds: Sequence[str], random_seed: int, piece: int, options: Mapping[str, object]
    ) -> Iterator[list[str]]:
        several(seeds, "seed", "generate([seed])")
        config = resolve(DecodingConfig, flags={**self.config.decoding.model_dump(), **options})
        characters = len(self.preprocessor.vocabulary) - FIRST
        if config.top_k > characters:
            raise ConfigurationError(
                f"top_k {config.top_k} is more than the {characters} characters that the model "
                "knows; give fewer, or 0 for all"
            )
        if unknown := self.preprocessor.unknown("".join(seeds)):
            LOGGER.warning(
                "never seen in training, read as unknown: %s", ", ".join(map(repr, unknown))
            )
        if not seeds:  # some backbones cannot run over no rows
            return iter(())
        # XLA takes seconds to compile the loop, which then runs faster.
        compiled = config.length >= self.model.backbone.compiled_from
        return self._continuation.pieces(seeds, random_seed, config, piece, compiled=compiled)

    def _read_chunk(self, ids: Any, targets: Any, state: Any) -> tuple[Any, Any]:
        logits, state = self.model.read(ids, state)
        return self.model.nats(targets, logits), state
