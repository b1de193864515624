"""The translate task from Python: train, load, translate, evaluate, export."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import tensorflow as tf

from textapps.core.config import resolve
from textapps.core.tokens import EOS
from textapps.datasets.pairs.pairs import Pairs
from textapps.decoding.config import SearchConfig
from textapps.decoding.hypotheses import possible
from textapps.evaluation.metrics.translation import bleu_tokenizer, corpus_bleu
from textapps.preprocessing.tokenizer import Tokenizer
from textapps.preprocessing.tokenizer_pair import TokenizerPair
from textapps.tasks.predictor import Predictor
from textapps.tasks.translate import data
from textapps.tasks.translate.config import TranslateConfig
from textapps.tasks.translate.model import TranslationModel
from textapps.tasks.translate.search import Search
from textapps.training.data_record import check_same_data, read_data_record, write_data_record
from textapps.training.fit import FitResult, fit
from textapps.training.nats_per_token import NatsPerToken
from textapps.training.progress import Progress
from textapps.training.replicas import Replicas
from textapps.training.run_directory import RunDirectory
from textapps.training.seeding import precision, seed_everything
from textapps.training.token_loss import TokenLoss
from textapps.training.weights import load_weights

if TYPE_CHECKING:
    from textapps.evaluation.reports.translation import AttentionMap

TASK = "translate"
ANSWER_BATCH = 64
EVALUATED = 1_000  # sentences of the validation split that are translated after each interval
GREEDY = SearchConfig(beam=1, n_best=1)
ENDED = "</s>"  # the end of a sentence, in pictures


class Answer(NamedTuple):
    """A translation and its length-normalised log-probability, by which it was ranked."""

    translation: str
    score: float


class Translator(Predictor):
    """A trained translator: everything that its run directory holds, ready to answer.

    Made by `train` and `load`.
    """

    def __init__(
        self,
        run: RunDirectory,
        config: TranslateConfig,
        tokenizers: TokenizerPair,
        model: TranslationModel,
    ) -> None:
        self.run = run
        self.config = config
        self.tokenizers = tokenizers
        self.model = model
        self.search = Search(model, tokenizers)

    def predict(self, texts: Sequence[str], random_seed: int = 0, **options: Any) -> list[Answer]:
        """The best answer to each sentence; as `n_best` otherwise."""
        found = self.n_best(texts, random_seed, **{**options, "n_best": 1})
        return [answers[0] for answers in found]

    def n_best(
        self, texts: Sequence[str], random_seed: int = 0, **options: Any
    ) -> list[list[Answer]]:
        """The best answers to each sentence, the best one first; there may be fewer than asked for.

        Args:
            texts: a text without a token is answered by "".
            random_seed: of drawn answers; text i takes `random_seed + i`.
            options: those of the [decoding] section, by default as in the run's configuration.

        Raises:
            ConfigurationError: an option out of its range.
        """
        config = resolve(SearchConfig, flags={**self.config.decoding.model_dump(), **options})
        found: list[list[Answer]] = [[] for _ in texts]
        order = np.argsort([len(text) for text in texts], kind="stable")  # to save padding
        for start in range(0, len(order), ANSWER_BATCH):
            rows = order[start : start + ANSWER_BATCH]
            batch = tf.constant([texts[row].encode("utf-8", "surrogateescape") for row in rows])
            translations, scores = self.search(batch, random_seed + rows, config)
            for row, strings, numbers in zip(rows, translations, scores, strict=True):
                ranked = zip(strings, possible(numbers), numbers, strict=True)
                found[row] = [
                    Answer(text.decode(), float(score))
                    for rank, (text, is_one, score) in enumerate(ranked)
                    if is_one or rank == 0
                ]
        return found

    def attention(self, text: str) -> "AttentionMap | None":
        """Where each token of the greedy answer looked in the sentence; None without attention.

        Of the last block, as the mean of its heads.
        """
        from textapps.evaluation.reports.translation import AttentionMap

        source = self.search.source_ids(tf.constant([text]))
        greedy = self.config.decoding.model_copy(update={"beam": 1, "n_best": 1, "temperature": 0})
        found = self.search.traced_ids(greedy)(source, tf.zeros([1], tf.int64))
        target = found.ids[:, 0, : int(found.lengths[0, 0])]
        weights = self.model.attention_weights(source, target)
        if weights is None:
            return None
        return AttentionMap(
            _names(self.tokenizers.source, source[0]),
            [*_names(self.tokenizers.target, target[0]), ENDED],
            weights[0].numpy(),
        )


def _names(tokenizer: Tokenizer, ids: Any) -> list[str]:
    texts = tokenizer.decode(ids[:, None]).numpy()
    return [
        ENDED if token == EOS else text.decode()
        for token, text in zip(ids.numpy(), texts, strict=True)
    ]


def train(
    config: TranslateConfig,
    models_dir: Path | str = "models",
    progress: Progress | None = None,
) -> tuple[Translator, FitResult]:
    """Trains a new run under `models_dir`, with the best weights in the model that comes back.

    Raises:
        DataError: data that are missing or wrong.
        DivergedError, RunError, TrainingInterrupted: as `textapps.training.fit.fit`.
    """
    replicas = Replicas.of(config.training.strategy)
    config = config.model_copy(update={"data": config.data.resolved()})
    train_pairs, validation_pairs = data.load_training_data(config)
    tokenizers = TokenizerPair.from_texts(
        train_pairs.sources, train_pairs.targets, config.preprocessor
    )
    # Before there is a run, because it finds the sizes that do not fit together.
    _model(config, tokenizers)

    def begin() -> RunDirectory:
        run = RunDirectory.create(Path(models_dir), TASK, config.backbone.kind, config)
        run.preprocessor_dir.mkdir()
        tokenizers.save(run.preprocessor_dir)
        write_data_record(run, data.describe(train_pairs, validation_pairs))
        return run

    run = replicas.agreed_run(begin, Path(models_dir) / TASK)
    return _fit(run, config, train_pairs, validation_pairs, replicas, progress)


def resume(run: RunDirectory, progress: Progress | None = None) -> tuple[Translator, FitResult]:
    """Goes on with a run that was stopped, by whatever; ends as if it had not been.

    Raises:
        RunError: the run is half-written, or its data have changed since.
    """
    config = load_config(run)
    replicas = Replicas.of(config.training.strategy)
    known = read_data_record(run)
    train_pairs, validation_pairs = data.load_training_data(config)
    check_same_data(run, known, data.describe(train_pairs, validation_pairs))
    return _fit(run, config, train_pairs, validation_pairs, replicas, progress)


def load(run: RunDirectory) -> Translator:
    """The translator of a run, with its best weights.

    Raises:
        RunError: the run is half-written, damaged, of another task or of a newer format.
    """
    config = load_config(run)
    read_data_record(run)
    tokenizers = TokenizerPair.load(run.preprocessor_dir, config.preprocessor)
    model = _model(config, tokenizers)
    load_weights(model, run)
    return Translator(run, config, tokenizers, model)


def load_config(run: RunDirectory) -> TranslateConfig:
    """The configuration of a run, every value of it."""
    return resolve(TranslateConfig, file=run.path / "config.toml")


def _fit(
    run: RunDirectory,
    config: TranslateConfig,
    train_pairs: Pairs,
    validation_pairs: Pairs,
    replicas: Replicas,
    progress: Progress | None,
) -> tuple[Translator, FitResult]:
    seed_everything(config.random_seed)
    tokenizers = TokenizerPair.load(run.preprocessor_dir, config.preprocessor)
    with precision(config.training.mixed_precision), replicas.scope():
        model = _model(config, tokenizers)
        translator = Translator(run, config, tokenizers, model)
        sources = validation_pairs.sources[:EVALUATED]
        references = validation_pairs.targets[:EVALUATED]

        def evaluate() -> dict[str, float]:
            answers = translator.predict(sources, **GREEDY.model_dump())
            translations = [each.translation for each in answers]
            return {"bleu": corpus_bleu(translations, references, bleu_tokenizer(references))}

        result = fit(
            model,
            loss=TokenLoss(config.model.label_smoothing),
            metrics=[NatsPerToken()],
            train=data.training_batches(train_pairs, tokenizers, config),
            validation=data.validation_batches(validation_pairs, tokenizers, config),
            config=config.training,
            run=run,
            monitor="val_bleu",
            evaluate=evaluate,
            replicas=replicas,
            progress=progress,
        )
    # anew, so that what answers now answers in float32 and as it will after any other loading
    return load(run), result


def _model(config: TranslateConfig, tokenizers: TokenizerPair) -> TranslationModel:
    model = TranslationModel(
        config,
        tokenizers.source.vocabulary_size,
        tokenizers.target.vocabulary_size,
        tokenizers.joint,
    )
    model.build()
    return model
