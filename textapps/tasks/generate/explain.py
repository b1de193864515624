"""What surprised a generator in a text, and which earlier characters each prediction hangs on."""

from typing import Any

import tensorflow as tf

from textapps.decoding.decoder import Decoder
from textapps.interpret.loss_gradients import loss_gradients
from textapps.preprocessing.characters import CharacterPreprocessor
from textapps.tasks.generate.data import BEGINNING
from textapps.tasks.generate.model import LanguageModel

EXPLAINED = 128  # characters at the end of a text; each takes a way back of its own


class Connections:
    """Surprise of each character, and the gradient of it by the characters before, in the graph.

    They are of the last `EXPLAINED` characters of a text. What is before them is read, but no
    gradient goes back there.
    """

    def __init__(
        self, model: LanguageModel, preprocessor: CharacterPreprocessor, decoder: Decoder
    ) -> None:
        self._model = model
        self._preprocessor = preprocessor
        self._decoder = decoder

    def __call__(self, text: Any) -> dict[str, Any]:
        """The exported signature: string[batch] →

        characters string[batch, n], as the model reads them, "" for padding; begin int32[batch],
        how many characters are before them; surprise float32[batch, n], in nats; gradients
        float32[batch, n, n], the norm of the gradient of the surprise of character t by the
        embedding of character s, 0 for s >= t and for padding.
        """
        points = self._preprocessor.points(text)
        ids, lengths = self._preprocessor.ids(tf.strings.join([BEGINNING, text]))
        count = tf.minimum(lengths - 1, EXPLAINED)
        begin = lengths - 1 - count
        width = tf.reduce_max(tf.concat([count, [0]], axis=0))
        places = begin[:, None] + tf.range(width)
        valid = tf.range(width) < count[:, None]
        # Input t of the window is the character before target t: the one at the beginning has no
        # column of its own.
        window = tf.where(valid, tf.gather(ids, tf.where(valid, places, 0), batch_dims=1), 0)
        targets = tf.gather(ids, tf.where(valid, places + 1, 0), batch_dims=1)
        model = self._model
        state = self._decoder.start(ids, begin).backbone
        logits, _ = model.read(window, state)
        chances = None
        state, contexts = model.split(state)
        if model.ngrams is not None:
            chances = model.ngrams.chances(model.ngrams.advance(window, contexts))
        surprise = tf.where(valid, model.nats(targets, logits), 0)
        embedded = model.embedding(window)

        def losses(outputs: Any, first: Any) -> Any:
            wanted = slice(first, first + tf.shape(outputs)[1])
            logits = model.logits(outputs)
            if chances is not None:
                logits = model.mixed(logits, chances[:, wanted])
            nats = model.nats(targets[:, wanted], logits)
            return tf.where(valid[:, wanted], nats, 0)

        norms = loss_gradients(
            lambda x, state: model.backbone(x, state)[0], losses, embedded, state
        )
        return {
            "characters": self._characters(points, places, valid),
            "begin": begin,
            "surprise": surprise,
            "gradients": tf.pad(norms[:, :, 1:], [[0, 0], [0, 0], [0, 1]])[:, :, :width],
        }

    def _characters(self, points: Any, places: Any, valid: Any) -> Any:
        room = tf.pad(points.to_tensor(0), [[0, 0], [0, 1]])
        found = tf.gather(room, tf.where(valid, places, 0), batch_dims=1)
        single = tf.strings.unicode_encode(tf.reshape(found, [-1, 1]), "UTF-8")
        return tf.where(valid, tf.reshape(single, tf.shape(valid)), "")
