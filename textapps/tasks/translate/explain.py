"""Where a translator looks in the source while it writes a translation."""

from typing import Any

import tensorflow as tf

from textapps.core.tokens import EOS, PAD
from textapps.decoding.config import SearchConfig
from textapps.preprocessing.sentences import split_sentences
from textapps.preprocessing.tokenizer_pair import TokenizerPair
from textapps.tasks.translate.model import TranslationModel
from textapps.tasks.translate.search import Search

_BETWEEN = "\x1f"  # sentences; a tokenizer takes it for a space


class Alignment:
    """The attention of each piece of a translation to the pieces of its source, in the graph.

    It is that of the decoder's last block, as the mean of its heads. A translation is cut into
    pieces anew, and read as a decoder reads what it has written. With `split_sentences` each
    sentence attends to its own source, if both texts have equally many; otherwise both are read as
    one.
    """

    def __init__(
        self,
        model: TranslationModel,
        tokenizers: TokenizerPair,
        search: Search,
        config: SearchConfig,
    ) -> None:
        self._model = model
        self._tokenizers = tokenizers
        self._search = search
        self._config = config.model_copy(update={"n_best": 1})

    def __call__(self, source: Any, translation: Any) -> dict[str, Any]:
        """The exported signature.

        Args:
            source: string[batch].
            translation: string[batch], "" for the best one.

        Returns:
            source_pieces string[batch, n] and target_pieces string[batch, m], each sentence with
            `</s>` at its end; attention float32[batch, m, n], rows that sum to 1, 0 for padding.
            Sentences without a token are left out.
        """
        sources, targets, text = self._sentences(source, translation)
        source_ids, source_numbers = self._search.encoded(sources)
        target_ids, target_numbers = self._tokenizers.encode_target(targets)
        attention = self._model.attention_weights(source_ids, target_ids.to_tensor(PAD))
        ended = tf.concat([target_ids, tf.fill([target_ids.nrows(), 1], EOS)], axis=1)
        given = tf.RaggedTensor.from_tensor(source_ids, padding=PAD)
        pieces = (
            self._tokenizers.pieces(self._tokenizers.source, given, source_numbers),
            self._tokenizers.pieces(self._tokenizers.target, ended, target_numbers),
        )
        batch, kept = tf.shape(source)[0], given.row_lengths() > 1
        text = tf.boolean_mask(text, kept)
        rows = [tf.ragged.boolean_mask(each, kept) for each in pieces]
        lengths = [tf.cast(each.row_lengths(), tf.int32) for each in rows]
        dense = [_by_text(each, text, batch) for each in rows]
        return {
            "source_pieces": dense[0],
            "target_pieces": dense[1],
            "attention": _in_blocks(
                tf.boolean_mask(attention, kept),
                (lengths[1], lengths[0]),
                text,
                (batch, tf.shape(dense[1])[1], tf.shape(dense[0])[1]),
            ),
        }

    def _sentences(self, source: Any, translation: Any) -> tuple[Any, Any, Any]:
        """The sentences of all sources, those of their translations, and int32, their texts."""
        valid = (
            self._tokenizers.source.valid(source),
            self._tokenizers.target.valid(translation),
        )
        sources, targets = (tf.strings.regex_replace(each, _BETWEEN, " ") for each in valid)
        is_given = translation != ""
        if self._config.split_sentences:
            cut = [split_sentences(each).merge_dims(1, 2) for each in (sources, targets)]
            alike = cut[0].row_lengths() == cut[1].row_lengths()
            marked = [tf.strings.reduce_join(each, axis=1, separator=_BETWEEN) for each in cut]
            sources = tf.where(is_given & ~alike, sources, marked[0])
            targets = tf.where(alike, marked[1], targets)
        # A missing translation has as many parts as its source, which are found below.
        split = tf.strings.split(sources, _BETWEEN)
        given = tf.strings.split(tf.where(is_given, targets, sources), _BETWEEN).flat_values
        text = tf.cast(split.value_rowids(), tf.int32)
        wanted = tf.gather(~is_given, text)
        asked = tf.where(wanted, split.flat_values, "")
        found, _ = self._search.find_all(asked, tf.zeros_like(text, tf.int64), self._config)
        return split.flat_values, tf.where(wanted, found[:, 0], given), text


def _by_text(pieces: Any, text: Any, batch: Any) -> Any:
    """Ragged string[sentences, (pieces)] → string[batch, n]: the pieces of each text."""
    of_text = tf.repeat(text, pieces.row_lengths())
    return tf.RaggedTensor.from_value_rowids(
        pieces.flat_values, of_text, tf.cast(batch, tf.int32), validate=False
    ).to_tensor("")


def _in_blocks(weights: Any, lengths: tuple[Any, Any], text: Any, shape: Any) -> Any:
    """float32[sentences, m, n] → float32[batch, …]: those of a text along a diagonal.

    Args:
        lengths: int32[sentences], the rows and the columns of each that count.
        text: int32[sentences].
        shape: of the result.
    """
    sizes = tf.unstack(tf.shape(weights))[1:]
    rows, columns = (
        tf.range(size) < length[:, None] for size, length in zip(sizes, lengths, strict=True)
    )
    places = tf.where(rows[:, :, None] & columns[:, None, :])
    sentence, *within = tf.unstack(tf.cast(places, tf.int32), axis=1)
    starts = [_starts(length, text, shape[0]) for length in lengths]
    at = [tf.gather(text, sentence)]
    at += [tf.gather(start, sentence) + place for start, place in zip(starts, within, strict=True)]
    return tf.scatter_nd(tf.stack(at, axis=1), tf.gather_nd(weights, places), tf.stack(shape))


def _starts(length: Any, text: Any, texts: Any) -> Any:
    """int32[sentences]: how much of the same text is before each of its sentences."""
    before = tf.cumsum(length, exclusive=True)
    first = tf.math.unsorted_segment_min(before, text, texts)
    return before - tf.gather(first, text)
