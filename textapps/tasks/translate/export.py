"""The SavedModel of a translator: sentence in, sentence out."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from textapps.core.errors import ExportError
from textapps.decoding.config import SearchConfig
from textapps.exporting.archive import DEFAULT_SIGNATURE, EXPLAIN, Endpoint
from textapps.exporting.config import ExportConfig
from textapps.exporting.export import export_model
from textapps.exporting.steady import steady_case
from textapps.exporting.verification import Case
from textapps.savedmodel.graph import COMPILED
from textapps.savedmodel.limits import CallLimits
from textapps.savedmodel.manifest import CompiledForm
from textapps.tasks.limits import position_bytes
from textapps.tasks.translate.compiled import CompiledSearch
from textapps.tasks.translate.predictor import Translator
from textapps.tasks.translate.search import AT_ONCE, Search

N_BEST = 5
NEAR = 0.01  # of the score of the best translation: rounding may decide between two
LONGEST_SOURCE = 200_000  # characters
LONGEST_EXPLAINED = 2_000  # characters of either text: the answer has their product
MOST_CHARACTERS = 5_000_000  # of a call: rows times the longest, times the beams
# Of different lengths, so that batches have padding, and with unknown characters.
TEXTS = (
    "A man is sleeping.",
    "",
    "Two dogs run through the snow, and a child laughs at them.",
    "猫 🐈",
    "A dog barks. Who is it?\n\nThe end.",
)


def export_saved_model(translator: Translator, models_dir: Path, config: ExportConfig) -> Path:
    """Publishes the next version of the export and returns its directory.

    Signatures: `serving_default`, source → translation and score[batch]; `n_best`, source →
    translations[batch, n] and scores[batch, n], the best first; `length`, source → how many tokens
    its longest sentence has, and how many are read; with attention `explain`, source and
    translation → their pieces and the attention between them. If they are wanted, and answers are
    not drawn, the first two have forms that XLA compiles, with `COMPILED` behind their names.

    Raises:
        ExportError: it cannot be written, or its answers differ from the run's.
    """
    decoding = translator.config.decoding
    best = decoding.model_copy(update={"n_best": 1})
    several = decoding.model_copy(
        update={"n_best": max(N_BEST, decoding.n_best), "temperature": 0.0}
    )

    def seeds(source: Any) -> Any:
        return tf.zeros(tf.shape(source), tf.int64)

    def default(search: Search, source: Any) -> dict[str, Any]:
        translations, scores = search.traced(best)(source, seeds(source))
        return {"translation": translations[:, 0], "score": scores[:, 0]}

    def n_best(search: Search, source: Any) -> dict[str, Any]:
        translations, scores = search.traced(several)(source, seeds(source))
        return {"translations": translations, "scores": scores}

    source = tf.TensorSpec([None], tf.string, "source")
    length = Endpoint(
        lambda source: translator.search.length(source, best), [source], _limits(translator, best)
    )
    endpoints = {
        DEFAULT_SIGNATURE: Endpoint(
            partial(default, translator.search), [source], _limits(translator, best)
        ),
        "n_best": Endpoint(
            partial(n_best, translator.search), [source], _limits(translator, several)
        ),
        "length": length,
    }
    compiled = {}
    if config.compiled and not decoding.temperature:
        search = CompiledSearch(translator.model, translator.preprocessor)
        for name, function in ((DEFAULT_SIGNATURE, default), ("n_best", n_best)):
            form, limits = (
                CompiledForm(signature=name + COMPILED, rows=(1,)),
                endpoints[name].limits,
            )
            endpoints[form.signature] = Endpoint(partial(function, search), [source], limits)
            compiled[name] = form
    if config.explain and translator.config.backbone.attention != "none":
        endpoints[EXPLAIN] = Endpoint(
            translator.alignment,
            [source, tf.TensorSpec([None], tf.string, "translation")],
            _explained(translator, best),
        )

    def cases() -> list[Case]:
        made = [
            Case(DEFAULT_SIGNATURE, {"source": list(TEXTS)}, _default_answers(translator)),
            Case("n_best", {"source": list(TEXTS)}, _n_best_answers(translator, several)),
            Case("length", {"source": list(TEXTS)}, length.answer({"source": list(TEXTS)})),
        ]
        for form in compiled.values():
            # Two translations may be so near to each other that rounding decides: these answers
            # are those of the same form in this process.
            ask = endpoints[form.signature].answer
            usual = endpoints[form.signature.removesuffix(COMPILED)].answer
            for text in TEXTS:
                row = {"source": [text]}
                answer = ask(row)
                _check_near(form.signature, text, answer, usual(row))
                made.append(Case(form.signature, row, answer))
        if EXPLAIN in endpoints:
            some = [TEXTS[0], TEXTS[1], TEXTS[-1]]
            asked = {"source": some, "translation": ["", "", TEXTS[0]]}
            made.append(steady_case(EXPLAIN, endpoints[EXPLAIN], asked))
        return made

    return export_model(
        endpoints,
        track=translator.preprocessor.resources,
        manifest_fields={
            **translator.manifest_fields,
            **translator.data_fields(config.examples),
            "decoding": decoding.model_dump(),
            "compiled": compiled,
        },
        cases=cases,
        models_dir=models_dir,
        config=config,
        tensorflow_text=translator.config.preprocessor.tokens == "subword",
    )


def _limits(translator: Translator, search: SearchConfig) -> CallLimits:
    """Each beam of each row has logits, and keys and values for each token of its answer."""
    config = translator.config
    tokens = config.preprocessor.max_tokens
    sentences = AT_ONCE if search.split_sentences else 1  # of a text, in memory at a time
    characters = 1 if config.preprocessor.tokens == "char" else 2  # of a token, or more
    beams = max(search.beam, search.n_best)
    cached = 8 * config.backbone.layers * config.backbone.units  # float32 keys and values
    vocabulary_size = translator.preprocessor.target.vocabulary_size
    return CallLimits(
        longest={"source": LONGEST_SOURCE},
        cells=MOST_CHARACTERS // beams,
        counted=sentences * characters * tokens,
        row_bytes=beams * round(16 * vocabulary_size + search.max_extra * cached),
        cell_bytes=(
            position_bytes(config.backbone, tokens) + round(beams * search.max_ratio * cached)
        )
        // characters,
    )


def _explained(translator: Translator, search: SearchConfig) -> CallLimits:
    limits = _limits(translator, search)
    longest = {"source": LONGEST_EXPLAINED, "translation": LONGEST_EXPLAINED}
    # Each piece of a sentence attends to each piece of its source.
    tokens, heads = translator.config.preprocessor.max_tokens, translator.config.backbone.heads
    return limits.model_copy(
        update={"longest": longest, "cell_bytes": limits.cell_bytes + 12 * heads * tokens}
    )


def _default_answers(translator: Translator) -> dict[str, Any]:
    answers = [translator.predict([text])[0] for text in TEXTS]
    return {
        "translation": [answer.translation for answer in answers],
        "score": np.array([answer.score for answer in answers], np.float32),
    }


def _n_best_answers(translator: Translator, config: SearchConfig) -> dict[str, Any]:
    found = [translator.search(tf.constant([text]), [0], config) for text in TEXTS]
    translations, scores = (np.concatenate(parts) for parts in zip(*found, strict=True))
    return {
        "translations": [[text.decode() for text in row] for row in translations],
        "scores": scores,
    }


def _check_near(
    signature: str, text: str, compiled: Mapping[str, Any], usual: Mapping[str, Any]
) -> None:
    """ExportError if the best translation of a compiled search has another score."""
    score, expected = (
        float(np.ravel(outputs["score" if "score" in outputs else "scores"])[0])
        for outputs in (compiled, usual)
    )
    if abs(score - expected) > NEAR * max(1.0, abs(expected)):
        raise ExportError(
            f"{signature} finds a translation of {text!r} with the score {score:.4f}, the usual "
            f"search one with {expected:.4f}: export without --compiled"
        )
