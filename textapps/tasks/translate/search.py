"""Sentences to translations, in the graph, for prediction and the export."""

from collections.abc import Callable
from functools import cache, partial
from typing import Any

import tensorflow as tf

from textapps.core.tokens import BOS, EOS, PAD
from textapps.decoding.beam_search import beam_search
from textapps.decoding.config import SearchConfig
from textapps.decoding.copies import Copies
from textapps.decoding.greedy import greedy, sample
from textapps.decoding.hypotheses import Hypotheses
from textapps.decoding.repetition import Repetition
from textapps.decoding.rules import Rules
from textapps.preprocessing.tokenizer_pair import TokenizerPair
from textapps.tasks.translate.model import TranslationModel


class Search:
    """Finds the best translations of sentences.

    A call takes bytes or strings [batch], random seeds int64[batch] and a `SearchConfig`, and
    returns NumPy arrays, string[batch, n] and float32[batch, n]. Only sampling uses the seeds.
    `traced(config)` is the same as a graph of tensors, `traced_ids(config)` the part from ids to
    ids.
    """

    def __init__(self, model: TranslationModel, tokenizers: TokenizerPair) -> None:
        self._model = model
        self._tokenizers = tokenizers
        self._placeholders = tokenizers.placeholders()
        text, ids = tf.TensorSpec([None], tf.string), tf.TensorSpec([None, None], tf.int32)
        self.traced = cache(lambda config: _traced(self.find, text, config))
        self.traced_ids = cache(lambda config: _traced(self.find_ids, ids, config))

    def __call__(self, text: Any, random_seed: Any, config: SearchConfig) -> tuple[Any, Any]:
        """See the class."""
        found = self.traced(config)(text, tf.constant(random_seed, tf.int64))
        return found[0].numpy(), found[1].numpy()

    def find(self, text: Any, random_seed: Any, config: SearchConfig) -> tuple[Any, Any]:
        """string[batch], int64[batch] → string[batch, n_best], float32[batch, n_best]."""
        source, numbers = self.encoded(text)
        batch = tf.shape(source)[0]
        found = self.traced_ids(config)(source, random_seed)
        n = config.n_best
        flat = tf.reshape(found.ids, [batch * n, -1])
        translations = tf.reshape(self._tokenizers.decode_target(flat, numbers), [batch, n])
        return tf.ensure_shape(translations, [None, n]), found.scores

    def encoded(self, text: Any) -> tuple[Any, Any]:
        """string[batch] → int32[batch, time] and the numbers that the translation copies.

        Each sentence ends with EOS and is padded with 0.
        """
        ids, numbers = self._tokenizers.encode_source(text)
        ends = tf.fill([ids.nrows(), 1], EOS)
        return tf.concat([ids, ends], axis=1).to_tensor(PAD), numbers

    def find_ids(self, source: Any, random_seed: Any, config: SearchConfig) -> Hypotheses:
        """int32[batch, time], int64[batch] → the `n_best` best translations as ids.

        The translation of a row without a token is empty.
        """
        batch = tf.shape(source)[0]
        beams = 1 if config.temperature else max(config.beam, config.n_best)
        tokens = tf.math.count_nonzero(source, axis=1, dtype=tf.int32) - 1  # without EOS
        longest = tf.cast(config.max_ratio * tf.cast(tokens, tf.float32), tf.int32)
        arguments = {
            "decode_step": partial(self._model.decode_step, table=self._model.output_table()),
            "state": self._model.search_state(batch, beams),
            "memory": self._model.encode_source(source),
            "start_ids": tf.fill([batch], BOS),
            "length_penalty": config.length_penalty,
            "rules": self._rules(source, config),
            "max_length": tf.where(tokens > 0, longest + config.max_extra, 0),
        }
        if config.temperature:
            return sample(temperature=config.temperature, random_seed=random_seed, **arguments)
        if beams == 1:
            return greedy(**arguments)
        return beam_search(
            beams=beams, n_best=config.n_best, reorder=self._model.decoder.reorder, **arguments
        )

    def _rules(self, source: Any, config: SearchConfig) -> Rules:
        """Those of the configuration; and each number of the source comes once, if it is copied."""
        repetition = Repetition(config.no_repeat_ngram_size, config.repetition_penalty)
        if self._placeholders is None:
            return Rules(repetition)
        of_source, of_target = self._placeholders
        wanted = tf.reduce_sum(tf.gather(of_source, source), axis=1)
        return Rules(repetition, Copies(of_target, wanted))


def _traced(find: Callable[..., Any], given: Any, config: SearchConfig) -> Any:
    return tf.function(
        lambda source, random_seed: find(source, random_seed, config),
        input_signature=[given, tf.TensorSpec([None], tf.int64)],
        autograph=False,
    )
