"""Where a translator looks, and which source words its words hang on, for `inspect`."""

from collections.abc import Iterator

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from textapps.core.tokens import BOS, EOS
from textapps.interpret.section import Section
from textapps.tasks.predictor import utf8
from textapps.tasks.translate.model import TranslationModel
from textapps.tasks.translate.predictor import Translator


def why_sections(translator: Translator, sentence: str) -> Iterator[Section]:
    """Attention and gradients of the best translation of one sentence."""
    from textapps.interpret.sections.aligned import aligned_section

    (answer,) = translator.predict([sentence])
    tokenizers, model = translator.preprocessor, translator.model
    source, source_numbers = translator.search.encoded(tf.constant([utf8(sentence)]))
    target, target_numbers = tokenizers.encode_target(tf.constant([utf8(answer.translation)]))
    ended = tf.concat([target, tf.fill([1, 1], EOS)], axis=1)
    given = tf.RaggedTensor.from_tensor(source)
    sources, targets = (
        [piece.decode() for piece in tokenizers.pieces(side, ids, numbers)[0].numpy()]
        for side, ids, numbers in (
            (tokenizers.source, given, source_numbers),
            (tokenizers.target, ended, target_numbers),
        )
    )
    attention = model.attention_weights(source, target.to_tensor())
    gradients = source_gradients(model, source.numpy(), ended[0].numpy())
    weights = None if attention is None else attention[0].numpy()
    yield aligned_section(sources, targets, weights, gradients)


def source_gradients(
    model: TranslationModel, source: NDArray[np.int32], target: NDArray[np.int32]
) -> NDArray[np.float64]:
    """How strongly the log-probability of each target token changes with each source token.

    Args:
        source: int32[1, source_time] with EOS.
        target: int32[time] with EOS.

    Returns:
        float64[time, source_time], the norms of the gradients by the embedded source.
    """
    rows = len(target)
    embedded = tf.repeat(model.embed_source(source), rows, axis=0)
    given = np.tile(np.append([BOS], target[:-1]).astype(np.int32), (rows, 1))
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(embedded)
        memory = model.encode_embedded(embedded, np.ones(embedded.shape[:2], bool))
        logits = model.logits_at(given, memory, np.arange(rows, dtype=np.int32))
        known = tf.gather(tf.nn.log_softmax(logits), target, batch_dims=1)
    norms: NDArray[np.float64] = tf.norm(tape.gradient(known, embedded), axis=2).numpy()
    return norms.astype(np.float64)
