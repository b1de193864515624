"""The cases that verify the export of a generator against its run."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from textapps.decoding.config import DecodingConfig, option_schemas
from textapps.decoding.decoder import Decoder
from textapps.decoding.options import DTYPES
from textapps.exporting.archive import DEFAULT_SIGNATURE, EXPLAIN
from textapps.exporting.steady import steady_case
from textapps.exporting.verification import Case
from textapps.tasks.generate.data import BEGINNING
from textapps.tasks.generate.predictor import TextGenerator
from textapps.tasks.generate.signatures import Signatures

TEXTS = ("It was late.\nNobody came.", "", "?", "映画")  # too short to be scored in streams
KEPT = 3
NOISE = 3e-5  # of logits; rounding changes them by less than 1e-5, the tolerance of verification
COPIES = 4  # of each question, the first without noise


class Question(NamedTuple):
    """A text to be generated."""

    seed: str
    random_seed: int
    decoding: DecodingConfig


class _Noisy:
    """A model with noise on its logits, different in each row."""

    def __init__(self, model: Any, noise: Any) -> None:
        self.initial_state = model.initial_state
        self.begin_decode = model.begin_decode
        self.end_decode = model.end_decode
        self._model = model
        self._noise = noise  # float32[batch, vocabulary]

    def decode_step(self, ids: Any, state: Any, mask: Any = None) -> tuple[Any, Any]:
        logits, state = self._model.decode_step(ids, state, mask)
        return logits + self._noise, state


def make_cases(generator: TextGenerator, signatures: Signatures) -> list[Case]:
    """A case for every signature; texts and nats come from the generator's own methods."""
    default = steady(generator, _default_questions(generator))[:KEPT]
    seeds = [question.seed for question in default]
    cases = [Case(DEFAULT_SIGNATURE, {"seed": seeds}, {"text": _texts(generator, default)})]

    questions = steady(generator, _questions(generator))[:KEPT]
    seeds, texts = [question.seed for question in questions], _texts(generator, questions)
    options = _options(questions)
    cases.append(Case("generate", {"seed": seeds, **options}, {"text": texts}))
    start = signatures.answer("start", {"seed": seeds})
    cases.append(Case("start", {"seed": seeds}, start))
    inputs = {**start, **options}
    cases.append(Case("continue", inputs, {**signatures.answer("continue", inputs), "text": texts}))

    state = {spec.name: start[spec.name] for spec in signatures.endpoints["step"].inputs[1:]}
    ids, _ = _encode(generator, seeds)
    cases.append(
        Case("step", {"ids": ids, **state}, signatures.answer("step", {"ids": ids, **state}))
    )
    nats = [generator.nats(text) for text in TEXTS]
    score = {
        "log_likelihood": np.array([-each.sum() for each in nats], np.float32),
        "characters": np.array([len(each) for each in nats], np.int32),
    }
    cases.append(Case("score", {"text": list(TEXTS)}, score))
    cases += [case for plain in cases for case in _compiled(signatures, plain)]
    if EXPLAIN in signatures.endpoints:
        cases.append(steady_case(EXPLAIN, signatures.endpoints[EXPLAIN], {"text": TEXTS}))
    return cases


def steady(generator: TextGenerator, questions: Sequence[Question]) -> list[Question]:
    """The questions whose texts do not depend on rounding; all of them if fewer than two.

    Once in many thousand characters two logits, or a logit and a random number, are so close that
    another order of additions, as in a batch of another size, gives another character and so
    another text. So every text is generated several times, with a little noise on the logits.

    Args:
        questions: all with the same stop text.
    """
    preprocessor = generator.preprocessor
    vocabulary_size = len(preprocessor.vocabulary)
    noise = np.random.default_rng(0).normal(0, NOISE, (COPIES, vocabulary_size))
    noise[0] = 0
    # Rows: all questions without noise, then all with the first noise, and so on.
    noise = np.repeat(noise, len(questions), axis=0).astype(np.float32)
    decoder = Decoder(_Noisy(generator.model, noise), vocabulary_size)
    stop = questions[0].decoding.stop
    ids, lengths = _encode(generator, [question.seed for question in questions] * COPIES)
    options = {name: np.tile(values, COPIES) for name, values in _options(questions).items()}

    def texts() -> Any:
        encoded = None if stop is None else tf.constant(preprocessor.encode(stop))
        state = decoder.start(tf.constant(ids), tf.constant(lengths), encoded)
        length = tf.constant(options.pop("length"))
        return decoder.advance(state, options, length)[:2]

    found = tf.function(texts, autograph=False)()
    made, counts = (tensor.numpy().reshape(COPIES, len(questions), -1) for tensor in found)
    same = (made == made[0]).all(axis=(0, 2)) & (counts == counts[0]).all(axis=(0, 2))
    kept = [question for question, holds in zip(questions, same, strict=True) if holds]
    return kept if len(kept) > 1 else list(questions)


def _default_questions(generator: TextGenerator) -> list[Question]:
    return [Question(seed, 0, generator.config.decoding) for seed in _seeds(generator)]


def _questions(generator: TextGenerator) -> list[Question]:
    """Texts of different lengths, some with the example values of all options."""
    schemas = option_schemas()
    shaped = {name: each["examples"][0] for name, each in schemas.items() if "examples" in each}
    # The predictor refuses more than there are characters.
    shaped["top_k"] = min(shaped["top_k"], len(generator.preprocessor.vocabulary.tokens))
    wanted = (
        {"length": 40, "temperature": 0.9},
        {"length": 23, "temperature": 0.7, **shaped},
        {"length": 31, "temperature": 1.0, **shaped},
        {"length": 12, "temperature": 0.0},
    )
    seeds = _seeds(generator)
    return [
        Question(seeds[number % len(seeds)], number, DecodingConfig(**wanted[number % len(wanted)]))
        for number in range(1, 7)
    ]


def _compiled(signatures: Signatures, plain: Case) -> list[Case]:
    """The rows of a case one by one, if there is a compiled form: XLA compiles one of them."""
    form = signatures.compiled.get(plain.signature)
    if form is None:
        return []
    return [
        Case(form.signature, row, {name: each[i : i + 1] for name, each in plain.outputs.items()})
        for i, row in enumerate(plain.rows())
    ]


def _seeds(generator: TextGenerator) -> list[str]:
    """Seeds of different lengths, so that there is padding, of characters that the model knows."""
    known = "".join(generator.preprocessor.vocabulary.tokens)
    return ["", known[:3], known[:17], known[4:9], known[::-1][:2]]


def _texts(generator: TextGenerator, questions: Sequence[Question]) -> list[str]:
    return [
        generator.generate([seed], random_seed, **decoding.model_dump())[0]
        for seed, random_seed, decoding in questions
    ]


def _options(questions: Sequence[Question]) -> dict[str, Any]:
    """The options as a signature takes them, one value for each question."""
    values = [{**q.decoding.model_dump(), "random_seed": q.random_seed} for q in questions]
    return {
        name: np.array([each[name] for each in values], dtype.as_numpy_dtype)
        for name, dtype in DTYPES.items()
    }


def _encode(generator: TextGenerator, seeds: Sequence[str]) -> tuple[Any, Any]:
    ids, lengths = generator.preprocessor.ids(tf.constant([BEGINNING + seed for seed in seeds]))
    return ids.numpy(), lengths.numpy()
