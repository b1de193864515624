"""The signatures of an exported generator."""

from collections.abc import Callable, Mapping
from functools import partial
from math import prod
from typing import Any

import tensorflow as tf

from textapps.core.tokens import PAD
from textapps.decoding.config import option_schemas
from textapps.decoding.decoder import PROMPT_CHUNK, Decoder, DecodingState
from textapps.decoding.options import DTYPES, is_plain, row_options
from textapps.exporting.archive import DEFAULT_SIGNATURE, EXPLAIN, Endpoint
from textapps.exporting.state import flatten_state, state_specs, unflatten_state
from textapps.interpret.loss_gradients import AT_ONCE
from textapps.savedmodel.graph import COMPILED
from textapps.savedmodel.limits import CallLimits
from textapps.savedmodel.manifest import CompiledForm
from textapps.tasks.generate.compiled import CompiledLoop
from textapps.tasks.generate.data import BEGINNING, stop_ids
from textapps.tasks.generate.explain import EXPLAINED, Connections
from textapps.tasks.generate.predictor import TextGenerator
from textapps.tasks.limits import position_bytes

Tensors = dict[str, Any]
Advance = Callable[..., tuple[Any, Any, DecodingState]]  # `Decoder.advance`, or one like it

# Few rows gain most by compiling, and each number of rows takes seconds.
COMPILED_ROWS = (1, 4)
MOST_CHARACTERS = 2_000_000  # of a call: rows times the longest
# The limits of a row: texts in characters, ids, characters to generate.
LONGEST = {
    "seed": 200_000,
    "text": 200_000,
    "ids": PROMPT_CHUNK,
    "length": option_schemas()["length"]["maximum"],
}


class Signatures:
    """The signatures of one generator, by name in `endpoints`.

        serving_default  seed → text, with the options of the run's configuration
        generate         seed, options → text
        score            text → log_likelihood (nats), characters
        start            seed → logits, state, position
        continue         logits, state, position, options → text, logits, state, position
        step             ids, state → logits, state
        explain          text → characters, begin, surprise, gradients; if wanted
        …_compiled       of serving_default (without a stop text), generate and continue, the
                         forms that XLA compiles; if wanted

    Every tensor is batch-major: strings [batch], options [batch], logits float32[batch,
    vocabulary], position int32[batch], ids int32[batch, time] padded with 0. The state of `step`
    is the model's; `start` and `continue` have one block more, which holds the characters of
    seed and text for the repetition penalty. `compiled` describes the compiled forms. A call with
    an option out of its range fails.
    """

    def __init__(
        self, generator: TextGenerator, explain: bool = False, compiled: bool = False
    ) -> None:
        self._model = generator.model
        self._preprocessor = generator.preprocessor
        self._defaults = generator.config.decoding
        self._backbone = generator.config.backbone
        self._plain = bool(is_plain(row_options(self._defaults, [0])))
        vocabulary_size = len(generator.preprocessor.vocabulary)
        self._decoder = Decoder(generator.model, vocabulary_size)
        backbone = generator.model.initial_state(1)
        own = {"seen": tf.zeros([1, vocabulary_size], tf.bool)}
        step_state, state = state_specs(backbone), state_specs((*backbone, own))
        self.state = tuple(spec.name for spec in state)
        at = [
            tf.TensorSpec([None, vocabulary_size], tf.float32, "logits"),
            *state,
            tf.TensorSpec([None], tf.int32, "position"),
        ]
        options = [tf.TensorSpec([None], dtype, name) for name, dtype in DTYPES.items()]
        seed, text = (tf.TensorSpec([None], tf.string, name) for name in ("seed", "text"))
        ids = tf.TensorSpec([None, None], tf.int32, "ids")
        advance, default = self._decoder.advance, partial(self._decoder.advance, plain=self._plain)
        self.endpoints = {
            DEFAULT_SIGNATURE: Endpoint(
                partial(self._default, default), [seed], self._limits("seed")
            ),
            "generate": Endpoint(
                partial(self._generate, advance), [seed, *options], self._limits("seed", "length")
            ),
            "score": Endpoint(self._score, [text], self._limits("text", everywhere=True)),
            "start": Endpoint(self._start, [seed], self._limits("seed")),
            "continue": Endpoint(
                partial(self._continue, advance), [*at, *options], self._limits("length")
            ),
            "step": Endpoint(self._step, [ids, *step_state], self._limits("ids")),
        }
        self.compiled: dict[str, CompiledForm] = {}
        if compiled:
            self._add_compiled()
        if explain:
            connections = Connections(self._model, self._preprocessor, self._decoder)
            self.endpoints[EXPLAIN] = Endpoint(connections, [text], self._explained())

    def _add_compiled(self) -> None:
        advance = CompiledLoop(self._decoder).advance
        functions: dict[str, Callable[..., Tensors]] = {
            "generate": self._generate,
            "continue": self._continue,
        }
        if self._defaults.stop is None:
            functions[DEFAULT_SIGNATURE] = self._default
        for name, function in functions.items():
            plain = self.endpoints[name]
            form = CompiledForm(signature=name + COMPILED, rows=COMPILED_ROWS)
            self.endpoints[form.signature] = Endpoint(
                partial(function, advance), plain.inputs, plain.limits
            )
            self.compiled[name] = form

    def _limits(self, *inputs: str, everywhere: bool = False) -> CallLimits:
        """Text is read in pieces of `PROMPT_CHUNK`, and generated character by character.

        everywhere: whether each character of a text needs the probabilities of all that may follow.
        """
        state = state_specs(self._model.initial_state(1))
        state_bytes = sum(spec.dtype.size * prod(spec.shape[1:]) for spec in state)
        span = PROMPT_CHUNK + self._backbone.context
        cell_bytes = position_bytes(self._backbone, span, self._decoder.vocabulary_size)
        row_bytes = 20_000 + 6 * state_bytes
        if (ngrams := self._model.ngrams) is not None:
            row_bytes += ngrams.position_bytes
            cell_bytes += ngrams.position_bytes if everywhere else ngrams.context_bytes
        return CallLimits(
            longest={name: LONGEST[name] for name in inputs},
            cells=MOST_CHARACTERS,
            counted=PROMPT_CHUNK,
            row_bytes=row_bytes,
            cell_bytes=cell_bytes,
            step_bytes=100,  # of the random number and the id of a character
        )

    def _explained(self) -> CallLimits:
        """Every loss of a group keeps what each position up to it computed."""
        span = EXPLAINED + self._backbone.context
        kept = 2 * self._backbone.layers * position_bytes(self._backbone, span)
        limits = self._limits("text", everywhere=True)
        own = AT_ONCE * EXPLAINED * kept
        return limits.model_copy(update={"row_bytes": limits.row_bytes + own})

    def answer(self, name: str, inputs: Mapping[str, Any]) -> Tensors:
        """The outputs of a signature for named inputs, as NumPy arrays."""
        return self.endpoints[name].answer(inputs)

    def _default(self, advance: Advance, seed: Any) -> Tensors:
        stop = self._defaults.stop
        if stop is not None:
            stop = tf.constant(stop_ids(self._preprocessor, stop))
        options = row_options(self._defaults, tf.zeros(tf.shape(seed), tf.int64))
        length = tf.fill(tf.shape(seed), self._defaults.length)
        state = self._decoder.start(*self._ids(seed), stop)
        ids, lengths, _ = advance(state, options, length)
        return {"text": self._preprocessor.text(ids, lengths)}

    def _generate(self, advance: Advance, seed: Any, **options: Any) -> Tensors:
        state = self._decoder.start(*self._ids(seed))
        return {"text": self._advance(advance, state, options)[0]}

    def _score(self, text: Any) -> Tensors:
        ids, lengths = self._ids(text)
        given, following, lengths = ids[:, :-1], ids[:, 1:], lengths - 1
        batch, time = tf.unstack(tf.shape(given))

        def read(begin: Any, total: Any, state: Any) -> tuple[Any, Any, Any]:
            chunk = slice(begin, begin + PROMPT_CHUNK)
            mask = begin + tf.range(tf.shape(given[:, chunk])[1]) < lengths[:, None]
            logits, state = self._model.read(given[:, chunk], state, mask)
            nats = self._model.nats(following[:, chunk], logits)
            total += tf.reduce_sum(tf.where(mask, nats, 0), axis=1)
            return begin + PROMPT_CHUNK, total, state

        _, total, _ = tf.while_loop(
            lambda begin, *_: begin < time,
            read,
            (0, tf.zeros([batch]), self._model.initial_state(batch)),
        )
        return {"log_likelihood": -total, "characters": lengths}

    def _start(self, seed: Any) -> Tensors:
        return _flat(self._decoder.start(*self._ids(seed)))

    def _continue(self, advance: Advance, **inputs: Any) -> Tensors:
        *backbone, own = unflatten_state(inputs)
        state = DecodingState(inputs["logits"], tuple(backbone), inputs["position"], own)
        text, state = self._advance(advance, state, {name: inputs[name] for name in DTYPES})
        return {"text": text, **_flat(state)}

    def _step(self, ids: Any, **state: Any) -> Tensors:
        logits, new = self._model.decode_step(ids, unflatten_state(state), ids != PAD)
        return {"logits": logits, **flatten_state(new)}

    def _advance(
        self, advance: Advance, state: DecodingState, options: Tensors
    ) -> tuple[Any, DecodingState]:
        _check(options)
        length = options.pop("length")
        ids, lengths, state = advance(state, options, length)
        return self._preprocessor.text(ids, lengths), state

    def _ids(self, texts: Any) -> tuple[Any, Any]:
        return self._preprocessor.ids(tf.strings.join([BEGINNING, texts]))


def _flat(state: DecodingState) -> Tensors:
    leaves = flatten_state((*state.backbone, state.own))
    return {"logits": state.logits, **leaves, "position": state.position}


def _check(options: Tensors) -> None:
    """Asserts the bounds of every option in every row."""
    comparisons = {
        "minimum": (tf.greater_equal, "at least"),
        "exclusiveMinimum": (tf.greater, "above"),
        "maximum": (tf.less_equal, "at most"),
    }
    schemas = option_schemas()
    for name, values in options.items():
        for bound, (compare, words) in comparisons.items():
            limit = schemas[name].get(bound)
            if limit is not None and name != "random_seed":  # every int64 is a seed
                holds = tf.reduce_all(compare(values, tf.cast(limit, values.dtype)))
                tf.debugging.Assert(holds, [f"{name} must be {words} {limit}"])
