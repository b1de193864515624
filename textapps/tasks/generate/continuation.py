"""Texts continued piece by piece, by loops in the graph."""

from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

import numpy as np
import tensorflow as tf

from textapps.core.tokens import PAD
from textapps.decoding.config import DecodingConfig
from textapps.decoding.decoder import Decoder
from textapps.decoding.options import is_plain, row_options
from textapps.preprocessing.characters import CharacterPreprocessor
from textapps.tasks.generate.data import BEGINNING, stop_ids
from textapps.tasks.generate.model import LanguageModel

PIECE = 256  # the most characters that one call of the loop generates


class Continuation:
    """The decoding loops of a model, each traced or compiled once."""

    def __init__(self, model: LanguageModel, preprocessor: CharacterPreprocessor) -> None:
        self._preprocessor = preprocessor
        decoder = Decoder(model, len(preprocessor.vocabulary))
        self._start = tf.function(decoder.start, autograph=False, reduce_retracing=True)

        @cache
        def advance(plain: bool, compiled: bool) -> Any:
            def piece(state: Any, options: Any, length: Any, final: Any) -> Any:
                return decoder.advance(state, options, length, PIECE, plain=plain, final=final)

            return tf.function(piece, autograph=False, jit_compile=compiled)

        self._advance = advance

    def pieces(
        self,
        seeds: Sequence[str],
        random_seed: int,
        config: DecodingConfig,
        piece: int,
        *,
        compiled: bool,
    ) -> Iterator[list[str]]:
        """Up to `piece` more characters of each text at a time, until all texts have ended.

        Text i is sampled with `random_seed + i`.
        """
        encoded = [self._preprocessor.encode(BEGINNING + seed) for seed in seeds]
        lengths = np.array([len(ids) for ids in encoded], np.int32)
        ids = np.full((len(seeds), lengths.max(initial=1)), PAD, np.int32)
        for row, one in zip(ids, encoded, strict=True):
            row[: len(one)] = one
        stop = None
        if config.stop is not None:
            stop = tf.constant(stop_ids(self._preprocessor, config.stop))
        state = self._start(tf.constant(ids), tf.constant(lengths), stop)
        options = row_options(config, random_seed + np.arange(len(seeds), dtype=np.int64))
        advance = self._advance(bool(is_plain(options)), compiled)
        left = config.length
        while left > 0:
            steps = min(piece, left)
            left -= steps
            made, count, state = advance(
                state, options, tf.fill([len(seeds)], steps), tf.constant(left == 0)
            )
            yield [
                self._preprocessor.decode(row[:length])
                for row, length in zip(made.numpy(), count.numpy(), strict=True)
            ]
            if stop is not None and tf.reduce_all(state.own["matched"][:, -1]):
                return
