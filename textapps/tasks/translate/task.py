"""Translation: a sentence to a sentence, many-to-many out of step."""

import tensorflow as tf

from textapps.core.counted import counted
from textapps.core.notices import muted, notice
from textapps.core.tokens import EOS
from textapps.datasets.pairs.examples import Pairs
from textapps.datasets.pairs.loader import load_pairs
from textapps.datasets.texts.examples import plain
from textapps.evaluation.metrics.translation import bleu_tokenizer, corpus_bleu
from textapps.preprocessing.numbers import numbered_pairs
from textapps.preprocessing.text import in_form
from textapps.preprocessing.tokenizer_pair import TokenizerPair
from textapps.tasks.task import Objective, Task
from textapps.tasks.translate import data
from textapps.tasks.translate.about import ABOUT
from textapps.tasks.translate.compare import answered, asking, known_tests
from textapps.tasks.translate.config import PRESETS, TranslateConfig
from textapps.tasks.translate.evaluate import evaluate
from textapps.tasks.translate.export import export_saved_model
from textapps.tasks.translate.inspect import inspect
from textapps.tasks.translate.model import TranslationModel
from textapps.tasks.translate.predict import rows
from textapps.tasks.translate.predictor import Translator
from textapps.tasks.translate.report import report
from textapps.training.nats_per_token import NatsPerToken
from textapps.training.token_batches import TokenBatchSource
from textapps.training.token_loss import TokenLoss

NUMBERED = 20  # least training pairs with numbers; Multi30k, where copying works, has 150
SCORED = 1_000  # sentences of the validation split that are translated after each interval


def objective(translator: Translator, validation: Pairs, batches: TokenBatchSource) -> Objective:
    """The cross-entropy of each token; the best weights have the highest BLEU, found greedily."""
    model = translator.config.model
    sources = validation.sources[:SCORED]
    references = in_form(validation.targets[:SCORED], translator.config.preprocessor.unicode)

    def figures() -> dict[str, float]:
        with muted():  # long sentences were counted when the data were encoded
            answers = translator.predict(sources, beam=1, temperature=0.0)
        translations = [each.translation for each in answers]
        return {"bleu": corpus_bleu(translations, references, bleu_tokenizer(references))}

    loss = TokenLoss(model.label_smoothing, model.simcut)
    return Objective(loss, [NatsPerToken()], monitor=f"val_{ABOUT.monitor}", figures=figures)


def early(tokenizers: TokenizerPair, validation: Pairs) -> tuple[str, float]:
    """The nats for each character: the BLEU of a young model is too low to say anything."""
    targets = validation.targets[:SCORED]
    ids, _ = tokenizers.encode_target(tf.constant(targets))
    tokens = int(tf.size(ids.flat_values)) + len(targets)  # EOS among them
    return "nats_per_token", tokens / max(1, sum(map(len, targets)))


def settle(config: TranslateConfig, train: Pairs) -> TranslateConfig:
    """Decides whether numbers are copied, which only pairs with numbers can teach.

    And languages with a vocabulary each are not trained both ways.
    """
    if config.training.both_ways and not config.preprocessor.joint:
        notice(
            "each language has a vocabulary of its own (preprocessor.joint): training does not "
            "begin in both directions (training.both_ways)"
        )
        training = config.training.model_copy(update={"both_ways": 0.0})
        config = config.model_copy(update={"training": training})
    if config.preprocessor.copy_numbers != "auto":
        return config
    found = numbered_pairs(train.sources, train.targets)
    if found < NUMBERED:
        notice(
            "%s: %s with the same numbers on both sides, %d are needed to learn to copy them; "
            "numbers are translated like words (preprocessor.copy_numbers)",
            train.name,
            counted(found, "training pair"),
            NUMBERED,
        )
    section = config.preprocessor.model_copy(update={"copy_numbers": found >= NUMBERED})
    return config.model_copy(update={"preprocessor": section})


TASK = Task(
    name="translate",
    presets=PRESETS,
    unit="tokens",
    best={ABOUT.monitor: "BLEU {:.2f} (greedy)"},
    check=lambda config: TranslationModel(
        config, EOS + 1, EOS + 1, joint=config.preprocessor.joint
    ),
    load_training=data.load_training,
    load_split=lambda config, split, _: load_pairs(config.data, (split,))[0],
    settle=settle,
    learn=data.learn,
    load_preprocessor=lambda config, folder: TokenizerPair.load(folder, config.preprocessor),
    training_batches=data.training_batches,
    validation_batches=data.validation_batches,
    model=lambda config, tokenizers, _: TranslationModel(
        config,
        tokenizers.source.vocabulary_size,
        tokenizers.target.vocabulary_size,
        tokenizers.joint,
    ),
    predictor=Translator,
    rows=rows,
    objective=objective,
    evaluate=evaluate,
    report=report,
    answered=answered,
    asking=asking,
    early=early,
    known_tests=known_tests,
    tokens=data.tokens,
    keys=lambda pairs: zip(map(plain, pairs.sources), map(plain, pairs.targets), strict=True),
    inspect=inspect,
    examples=data.examples,
    formats={"saved_model": export_saved_model},
)
