"""SentencePiece subwords, learned by its own trainer, applied in the graph by TensorFlow Text."""

import hashlib
import io
import logging
import re
import tempfile
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from textapps.core.errors import ConfigurationError, DataError, RunError
from textapps.core.records import RecordError, read_described, write_described
from textapps.core.tokens import BOS, EOS, PAD, UNK
from textapps.preprocessing.config import SubwordConfig
from textapps.preprocessing.numbers import PLACEHOLDER
from textapps.preprocessing.tokenizer import Sampler, Tokenizer, fold_all

LOGGER = logging.getLogger("textapps")

MODEL, RECORD = "subwords.model", "subwords.json"
# All but one character in 10,000 are covered. No character that matters becomes UNK, and the model
# still learns UNK. There is no byte fallback: it takes 256 ids that training never shows, too many
# for a small vocabulary.
COVERAGE = 0.9999
# More text makes the trainer slower but the vocabulary no better.
MOST_SENTENCES = 1_000_000
_SAMPLING = threading.Lock()  # SentencePiece has one random generator per process


class SubwordTokenizer(Tokenizer):
    """Subwords of a unigram language model (Kudo 2018) or of byte pair encoding (Sennrich 2016).

    Args:
        config: the configuration it was learned with.
        model: a serialised SentencePiece model.
    """

    def __init__(self, config: SubwordConfig, model: bytes) -> None:
        import tensorflow_text

        super().__init__(config)
        self.model = model
        # In a loaded SavedModel, tokenizers with the same name are one resource.
        name = f"subwords_{hashlib.sha256(model).hexdigest()[:16]}"
        self._pieces = tensorflow_text.SentencepieceTokenizer(model, name=name)
        self._size = int(self._pieces.vocab_size())

    @classmethod
    def learn(
        cls, sides: Sequence[Sequence[str]], config: SubwordConfig, of: str = "training"
    ) -> tuple["SubwordTokenizer", list[tuple[Any, Any]]]:
        """Learns the subwords of all sides; the same texts give the same bytes.

        `of` names the texts in errors. Returns it with what `encode_all` gives for each side.

        Raises:
            ConfigurationError: the vocabulary size is too small for the texts. One that is larger
                than they support is lowered, with a warning.
            DataError: there is nothing to learn from.
        """
        texts = [text for side in sides for text in side]
        texts = fold_all(texts[:: -(-len(texts) // MOST_SENTENCES) or 1], config)
        if not any(texts):
            raise DataError(f"the {of} texts are empty: there are no subwords to learn")
        try:
            model = _train(texts, config, of)
        except RuntimeError as error:
            raise _in_words(str(error), config, of) from None
        tokenizer = cls(config, model)
        return tokenizer, [tokenizer.encode_all(side, f"{of} sentences") for side in sides]

    @property
    def vocabulary_size(self) -> int:
        """The number of ids, including the special ones."""
        return self._size

    @property
    def resources(self) -> list[Any]:
        """The resources that an export must track."""
        return [self._pieces]

    def sampler(self, texts: Sequence[str]) -> Sampler | None:
        """Subword regularisation, outside the graph, because TensorFlow Text takes no seed."""
        if not self.config.sampling_alpha:
            return None
        import sentencepiece

        folded = fold_all(texts, self.config)
        processor = sentencepiece.SentencePieceProcessor(model_proto=self.model)

        def sample(rows: NDArray[np.int64], seed: int) -> list[NDArray[np.int32]]:
            with _SAMPLING:
                sentencepiece.set_random_generator_seed(seed % 2**31)
                cuts = processor.encode(
                    [folded[row] for row in rows],
                    enable_sampling=True,
                    alpha=self.config.sampling_alpha,
                    nbest_size=self.config.sampling_size or -1,
                    num_threads=1,
                )
            return [np.array(cut[: self.config.max_tokens], np.int32) for cut in cuts]

        return sample

    def occurrences(self, text: str) -> NDArray[np.int32]:
        """int32[vocabulary]: how often each token contains the text."""
        pieces = self._pieces.id_to_string(np.arange(self._size, dtype=np.int32)).numpy()
        return np.array([piece.count(text.encode()) for piece in pieces], np.int32)

    def save(self, directory: Path) -> None:
        """Writes the model, and its sha256 to a second file."""
        write_described(directory / MODEL, self.model)

    @classmethod
    def load(cls, directory: Path, config: SubwordConfig) -> "SubwordTokenizer":
        """Reads what `save` wrote.

        Raises:
            RunError: the model is missing, damaged or of another format.
        """
        remedy = "train again or restore it"
        try:
            (directory / RECORD).stat()  # every version has written one
            model = read_described(directory / MODEL)
        except OSError as error:
            raise RunError(
                f"the subwords in {directory} cannot be read ({type(error).__name__}: {error}); "
                f"{remedy}"
            ) from None
        except RecordError as error:
            raise RunError(f"{error}; {remedy}") from None
        return cls(config, model)

    def _ids(self, texts: Any) -> Any:
        return self._pieces.tokenize(texts)

    def _pieces_of(self, ids: Any) -> Any:
        pieces = self._pieces.id_to_string(ids.flat_values)
        return ids.with_flat_values(tf.strings.regex_replace(pieces, "\u2581", " "))

    def _text(self, ids: Any) -> Any:
        return self._pieces.detokenize(ids)


def _train(texts: Sequence[str], config: SubwordConfig, of: str) -> bytes:
    """A model of the size of the configuration, or of the largest that the texts support."""
    try:
        return _train_model(texts, config)
    except RuntimeError as error:
        most = re.search(r"value <= (\d+)", str(error))
        if most is None:
            raise
    LOGGER.warning(
        "the %s texts support %s subwords, fewer than preprocessor.vocabulary_size %s",
        of,
        f"{int(most[1]):,}",
        f"{config.vocabulary_size:,}",
    )
    return _train_model(texts, config.model_copy(update={"vocabulary_size": int(most[1])}))


def _train_model(texts: Sequence[str], config: SubwordConfig) -> bytes:
    import sentencepiece
    from sentencepiece import sentencepiece_model_pb2

    written = io.BytesIO()
    with tempfile.NamedTemporaryFile("w", suffix=".tsv") as rules:
        # The only rule maps U+2581 to the space it stands for: the texts are normalised already.
        # Without any rule TensorFlow Text would log a line for every tokenizer.
        rules.write("2581\t20\n")
        rules.flush()
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=iter(texts),
            model_writer=written,
            model_type=config.model,
            vocab_size=config.vocabulary_size,
            character_coverage=COVERAGE,
            normalization_rule_tsv=rules.name,
            max_sentence_length=1_000_000,  # bytes; longer ones would be skipped
            num_threads=1,
            pad_id=PAD,
            unk_id=UNK,
            bos_id=BOS,
            eos_id=EOS,
            unk_surface="\ufffd",
            user_defined_symbols=[PLACEHOLDER] if config.copy_numbers else [],
            minloglevel=2,
        )
    model = sentencepiece_model_pb2.ModelProto.FromString(written.getvalue())
    model.normalizer_spec.ClearField("normalization_rule_tsv")  # the path of a file that is gone
    content: bytes = model.SerializeToString(deterministic=True)
    return content


def _in_words(said: str, config: SubwordConfig, of: str) -> ConfigurationError | DataError:
    size = f"preprocessor.vocabulary_size {config.vocabulary_size}"
    if least := re.search(r"required_chars\. \d+ vs (\d+)", said):
        return ConfigurationError(
            f"{size} is too small for the characters of the {of} texts: give at least {least[1]}"
        )
    return DataError(f"SentencePiece cannot learn subwords from the {of} texts: {said.strip()}")
