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
from textapps.decoding.hypotheses import Hypotheses, possible
from textapps.decoding.repetition import Repetition
from textapps.decoding.rules import Rules
from textapps.preprocessing.sentences import join_sentences, split_sentences
from textapps.preprocessing.tokenizer_pair import TokenizerPair
from textapps.tasks.translate.model import TranslationModel

AT_ONCE = 128  # sentences of a text or of a batch of texts that are translated at a time
SEEDS_APART = 2**32  # of the sentences of a text; texts are one apart


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
        self.traced_lengths = cache(
            lambda config: tf.function(
                lambda source: self.lengths(source, config), input_signature=[text], autograph=False
            )
        )
        self.traced = cache(lambda config: _traced(self.find, text, config))
        self.traced_ids = cache(lambda config: _traced(self.find_ids, ids, config))

    def __call__(self, text: Any, random_seed: Any, config: SearchConfig) -> tuple[Any, Any]:
        """See the class."""
        found = self.traced(config)(text, tf.constant(random_seed, tf.int64))
        return found[0].numpy(), found[1].numpy()

    def find(self, text: Any, random_seed: Any, config: SearchConfig) -> tuple[Any, Any]:
        """string[batch], int64[batch] → string[batch, n_best], float32[batch, n_best].

        With `split_sentences` a text is translated sentence by sentence. The k-th best translation
        joins the k-th best of its sentences, and its score is the mean of theirs.
        """
        if not config.split_sentences:
            return self._find_each(text, random_seed, config)
        sentences = split_sentences(self._tokenizers.source.valid(text))
        lines = sentences.value_rowids()
        of_text = tf.gather(lines, sentences.values.value_rowids())
        batch = sentences.nrows()
        # The first sentence has the seed of its text, the others have seeds of their own.
        first = tf.math.unsorted_segment_min(tf.range(tf.size(of_text)), of_text, batch)
        place = tf.range(tf.size(of_text)) - tf.gather(first, of_text)
        seeds = tf.gather(random_seed, of_text) + SEEDS_APART * tf.cast(place, tf.int64)
        translations, scores = self.find_all(sentences.flat_values, seeds, config)
        if config.n_best > 1:
            translations, scores = _filled(translations, scores, of_text, batch)
        scores = _means(scores, sentences.flat_values, of_text, batch)
        return join_sentences(sentences, translations), scores

    def find_all(self, texts: Any, random_seed: Any, config: SearchConfig) -> tuple[Any, Any]:
        """As `find`, for any number of single sentences, of which few are in memory at a time."""

        def part(begin: Any, translations: Any, scores: Any) -> tuple[Any, Any, Any]:
            some = slice(begin, begin + AT_ONCE)
            found = self._find_each(texts[some], random_seed[some], config)
            return (
                begin + AT_ONCE,
                tf.concat([translations, found[0]], 0),
                tf.concat([scores, found[1]], 0),
            )

        n = config.n_best
        _, translations, scores = tf.while_loop(
            lambda begin, *_: begin < tf.size(texts),
            part,
            (0, tf.zeros([0, n], tf.string), tf.zeros([0, n])),
            shape_invariants=(tf.TensorShape([]), *[tf.TensorShape([None, n])] * 2),
        )
        return translations, scores

    def _find_each(self, text: Any, random_seed: Any, config: SearchConfig) -> tuple[Any, Any]:
        source, numbers = self.encoded(text)
        batch = tf.shape(source)[0]
        found = self.ids(source, random_seed, config)
        n = config.n_best
        flat = tf.reshape(found.ids, [batch * n, -1])
        translations = tf.reshape(self._tokenizers.decode_target(flat, numbers), [batch, n])
        return tf.ensure_shape(translations, [None, n]), found.scores

    def ids(self, source: Any, random_seed: Any, config: SearchConfig) -> Hypotheses:
        """`find_ids` as its graph computes it."""
        found: Hypotheses = self.traced_ids(config)(source, random_seed)
        return found

    def length(self, text: Any, config: SearchConfig) -> dict[str, Any]:
        """string[batch] → `tokens` of the longest sentence, `max_tokens` read: int32[batch]."""
        tokens = tf.cast(self.lengths(text, config), tf.int32)
        return {
            "tokens": tokens,
            "max_tokens": self._tokenizers.source.limit.max_tokens + 0 * tokens,
        }

    def lengths(self, text: Any, config: SearchConfig) -> Any:
        """string[batch] → int64[batch]: how many tokens the longest sentence of each has."""
        if not config.split_sentences:
            return self._tokenizers.source_lengths(text)
        sentences = split_sentences(self._tokenizers.source.valid(text))
        lengths = self._tokenizers.source_lengths(sentences.flat_values)
        return tf.reduce_max(sentences.with_flat_values(lengths), axis=[1, 2])

    def encoded(self, text: Any) -> tuple[Any, Any]:
        """string[batch] → int32[batch, time] and the numbers that the translation copies.

        Each sentence ends with EOS and is padded with 0.
        """
        ids, numbers = self._tokenizers.encode_source(text)
        ends = tf.fill([ids.nrows(), 1], EOS)
        return tf.concat([ids, ends], axis=1).to_tensor(PAD), numbers

    def find_ids(
        self, source: Any, random_seed: Any, config: SearchConfig, room: int | None = None
    ) -> Hypotheses:
        """int32[batch, time], int64[batch] → the `n_best` best translations as ids.

        The translation of a row without a token is empty.

        Args:
            room: see `beam_search`, which it needs; the state has room for EOS too.
        """
        batch = tf.shape(source)[0]
        beams = 1 if config.temperature else max(config.beam, config.n_best)
        tokens = tf.math.count_nonzero(source, axis=1, dtype=tf.int32) - 1  # without EOS
        longest = tf.cast(config.max_ratio * tf.cast(tokens, tf.float32), tf.int32)
        arguments = {
            "decode_step": partial(self._model.decode_step, table=self._model.output_table()),
            "state": self._model.search_state(batch, beams, room and room + 1),
            "memory": self._model.encode_source(source),
            "start_ids": tf.fill([batch], BOS),
            "length_penalty": config.length_penalty,
            "rules": self._rules(source, config),
            "max_length": tf.where(tokens > 0, longest + config.max_extra, 0),
        }
        if config.temperature:
            return sample(temperature=config.temperature, random_seed=random_seed, **arguments)
        if beams == 1 and room is None:
            return greedy(**arguments)
        return beam_search(
            beams=beams,
            n_best=config.n_best,
            reorder=self._model.decoder.reorder,
            room=room,
            **arguments,
        )

    def _rules(self, source: Any, config: SearchConfig) -> Rules:
        """Those of the configuration; and each number of the source comes once, if it is copied."""
        repetition = Repetition(config.no_repeat_ngram_size, config.repetition_penalty)
        if self._placeholders is None:
            return Rules(repetition)
        of_source, of_target = self._placeholders
        wanted = tf.reduce_sum(tf.gather(of_source, source), axis=1)
        return Rules(repetition, Copies(of_target, wanted))


def _filled(translations: Any, scores: Any, of_text: Any, batch: Any) -> tuple[Any, Any]:
    """The last possible translation of each sentence again, as far as another of its text goes."""
    n = translations.shape[1]
    number = tf.math.count_nonzero(possible(scores), axis=1, dtype=tf.int32)
    most = tf.gather(tf.math.unsorted_segment_max(number, of_text, batch), of_text)
    rank = tf.range(n)[None]
    rank = tf.where(
        rank < most[:, None], tf.minimum(rank, tf.maximum(number[:, None] - 1, 0)), rank
    )
    return tf.gather(translations, rank, batch_dims=1), tf.gather(scores, rank, batch_dims=1)


def _means(scores: Any, sentences: Any, of_text: Any, batch: Any) -> Any:
    """float32[sentences, n] → float32[batch, n], without the empty lines of other texts."""
    is_empty = tf.strings.length(tf.strings.strip(sentences)) == 0
    all_empty = tf.gather(
        tf.math.unsorted_segment_min(tf.cast(is_empty, tf.int32), of_text, batch) == 1, of_text
    )
    kept = ~is_empty | all_empty
    return tf.math.unsorted_segment_mean(
        tf.boolean_mask(scores, kept), tf.boolean_mask(of_text, kept), batch
    )


def _traced(find: Callable[..., Any], given: Any, config: SearchConfig) -> Any:
    return tf.function(
        lambda source, random_seed: find(source, random_seed, config),
        input_signature=[given, tf.TensorSpec([None], tf.int64)],
        autograph=False,
    )
