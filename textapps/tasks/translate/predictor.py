"""A trained translator of sentences."""

import re
from collections.abc import Sequence
from typing import Any, NamedTuple

import tensorflow as tf

from textapps.core.config import resolve
from textapps.core.parallel import cores, in_threads
from textapps.core.tokens import EOS
from textapps.decoding.config import SearchConfig
from textapps.decoding.hypotheses import possible
from textapps.evaluation.metrics.translation import AttentionMap
from textapps.preprocessing.long_texts import LongTexts
from textapps.preprocessing.numbers import PLACEHOLDER
from textapps.preprocessing.tokenizer import Tokenizer
from textapps.preprocessing.tokenizer_pair import TokenizerPair
from textapps.tasks.predictor import (
    ANSWER_BATCH,
    TrainedPredictor,
    batches_by_length,
    several,
    utf8,
)
from textapps.tasks.translate.config import TranslateConfig
from textapps.tasks.translate.explain import Alignment
from textapps.tasks.translate.model import TranslationModel
from textapps.tasks.translate.search import Search
from textapps.training.plan import Indices

LONG = "texts with a sentence"
FEW = 8  # sentences, fewer of which are not worth a thread of their own
END = "</s>"  # the end of a sentence in attention maps


class Translation(NamedTuple):
    """A translation and its length-normalised log-probability, by which it was ranked."""

    translation: str
    score: float


class Translator(TrainedPredictor[TranslateConfig, TokenizerPair, TranslationModel]):
    """Translates sentences: `translator.predict(["A man is sleeping."])[0].translation`."""

    def set_up(self) -> None:
        """Makes the search, which traces one graph for each configuration."""
        self.search = Search(self.model, self.preprocessor)
        self.alignment = Alignment(self.model, self.preprocessor, self.search, self.config.decoding)
        self.long_texts = LongTexts(self.preprocessor.source.limit)

    def predict(
        self, texts: Sequence[str], random_seed: int = 0, **options: object
    ) -> list[Translation]:
        """The best translation of each sentence; arguments as in `n_best`."""
        found = self.n_best(texts, random_seed, **{**options, "n_best": 1})
        return [answers[0] for answers in found]

    def n_best(
        self, texts: Sequence[str], random_seed: int = 0, **options: object
    ) -> list[list[Translation]]:
        """The `n_best` best translations of each sentence, best first; there may be fewer.

        Args:
            texts: the translation of a text without a token is "".
            random_seed: for sampled translations; text i uses `random_seed + i`.
            options: of the [decoding] section, in place of the run's.

        Raises:
            ConfigurationError: an option is unknown or out of its range.
            TypeError: one text instead of a list.
        """
        several(texts, "text", "predict([text])")
        config = resolve(SearchConfig, flags={**self.config.decoding.model_dump(), **options})
        found: list[list[Translation]] = [[] for _ in texts]
        size = min(max(-(-len(texts) // cores()), FEW), ANSWER_BATCH)
        # A long batch that came last would keep one thread only.
        batches = list(batches_by_length(map(len, texts), size))[::-1]
        self.search.traced(config)  # one graph for all threads

        def translated(rows: Indices) -> tuple[Any, Any]:
            batch = tf.constant([utf8(texts[row]) for row in rows])
            return self.search(batch, random_seed + rows, config)

        with self.long_texts.said(LONG):
            for rows, answers in zip(batches, in_threads(translated, batches), strict=True):
                self._count_long([utf8(texts[row]) for row in rows], config)
                for row, strings, numbers in zip(rows, *answers, strict=True):
                    ranked = zip(strings, possible(numbers), numbers, strict=True)
                    found[row] = [
                        Translation(text.decode(), float(score))
                        for rank, (text, is_one, score) in enumerate(ranked)
                        if is_one or rank == 0
                    ]
        return found

    def _count_long(self, batch: Sequence[bytes], config: SearchConfig) -> None:
        # A sentence has at most one token more than bytes.
        limit = self.config.preprocessor.max_tokens
        candidates = [text for text in batch if len(text) >= limit]
        lengths: Any = ()
        if candidates:
            lengths = self.search.traced_lengths(config)(tf.constant(candidates)).numpy()
        self.long_texts.add(lengths, of=len(batch))

    def attention(self, text: str) -> AttentionMap | None:
        """The attention of the greedy translation to the sentence; None without attention.

        It is that of the last block, as the mean of its heads.
        """
        source, numbers = self.search.encoded(tf.constant([text]))
        greedy = self.config.decoding.model_copy(update={"beam": 1, "n_best": 1, "temperature": 0})
        found = self.search.traced_ids(greedy)(source, tf.zeros([1], tf.int64))
        target = found.ids[:, 0, : int(found.lengths[0, 0])]
        weights = self.model.attention_weights(source, target)
        if weights is None:
            return None
        copied = (
            []
            if numbers is None
            else [re.sub(r"^\D", "", number.decode()) for number in numbers[0].numpy()]
        )
        return AttentionMap(
            _names(self.preprocessor.source, source[0], copied),
            [*_names(self.preprocessor.target, target[0], copied), END],
            weights[0].numpy(),
        )


def _names(tokenizer: Tokenizer, ids: Any, numbers: Sequence[str]) -> list[str]:
    texts, following = tokenizer.decode(ids[:, None]).numpy(), iter(numbers)
    return [
        END if token == EOS else re.sub(PLACEHOLDER, lambda _: next(following, ""), text.decode())
        for token, text in zip(ids.numpy(), texts, strict=True)
    ]
