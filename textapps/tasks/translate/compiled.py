"""The search for the translation of one sentence, compiled by XLA."""

from functools import cache
from typing import Any

import tensorflow as tf

from textapps.core.tokens import PAD
from textapps.decoding.config import SearchConfig
from textapps.decoding.hypotheses import Hypotheses
from textapps.preprocessing.tokenizer_pair import TokenizerPair
from textapps.tasks.translate.model import TranslationModel
from textapps.tasks.translate.search import Search

LONGEST = 64  # tokens of a sentence, EOS among them


class CompiledSearch(Search):
    """As `Search`, but for rounding; it draws no answers.

    XLA must know all shapes when it compiles. So it compiles the search for a single sentence,
    filled up to `LONGEST` tokens, and for all others the search is as it was: for several at a time
    XLA's is hardly faster, and from some number on slower.
    """

    def __init__(self, model: TranslationModel, tokenizers: TokenizerPair) -> None:
        super().__init__(model, tokenizers)
        self._compiled_ids = cache(self._compile)

    def ids(self, source: Any, random_seed: Any, config: SearchConfig) -> Hypotheses:
        """See `Search`."""
        compiled, plain = self._compiled_ids(config), self.traced_ids(config)
        batch, time = tf.unstack(tf.shape(source))

        def alone() -> Hypotheses:
            padded = tf.pad(source, [[0, 0], [0, LONGEST - time]], constant_values=PAD)
            found: Hypotheses = compiled(padded, random_seed)
            longest = tf.maximum(tf.reduce_max(found.lengths), 1)
            return found._replace(ids=found.ids[:, :, :longest])

        short = (batch == 1) & (time <= LONGEST)
        found: Hypotheses = tf.cond(short, alone, lambda: plain(source, random_seed))
        return found

    def _compile(self, config: SearchConfig) -> Any:
        room = int(config.max_ratio * (LONGEST - 1)) + config.max_extra
        return tf.function(
            lambda source, random_seed: self.find_ids(source, random_seed, config, room),
            input_signature=[
                tf.TensorSpec([None, None], tf.int32),
                tf.TensorSpec([None], tf.int64),
            ],
            autograph=False,
            jit_compile=True,
        )
