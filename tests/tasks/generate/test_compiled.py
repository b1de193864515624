"""The signatures of a generator that XLA compiles answer as the others do."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from textapps.decoding.config import DecodingConfig
from textapps.decoding.options import DTYPES
from textapps.savedmodel.graph import compiled_functions, read_graph
from textapps.savedmodel.manifest import CompiledForm, read_manifest
from textapps.savedmodel.warmup import WARMUP, recorded_requests
from textapps.tasks.generate import compiled
from textapps.tasks.generate.export_cases import Question, steady
from textapps.tasks.generate.signatures import Signatures

Make = Callable[[str, str], Any]

WANTED = (
    Question("the cat", 5, DecodingConfig(length=33, temperature=0.9)),
    Question("", 0, DecodingConfig(length=8, temperature=0)),
    Question("the dog, größer", 2**40, DecodingConfig(length=19, temperature=1.0)),
    Question("sat", 7, DecodingConfig(length=1, temperature=1.0)),
    Question("on", 6, DecodingConfig(length=21, temperature=1.5, top_k=4)),
    Question("the", 8, DecodingConfig(length=12, repetition_penalty=1.4)),
)


def inputs_of(questions: list[Question]) -> dict[str, Any]:
    values = [{**q.decoding.model_dump(), **q._asdict()} for q in questions]
    dtypes = {"seed": object, **{name: dtype.as_numpy_dtype for name, dtype in DTYPES.items()}}
    return {n: np.array([each[n] for each in values], dtype) for n, dtype in dtypes.items()}


@pytest.mark.slow
@pytest.mark.parametrize(
    "kind", [pytest.param("lstm", marks=pytest.mark.exhaustive), "transformer"]
)
def test_texts_are_those_of_the_loop_that_is_not_compiled(
    untrained: Make, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In rows that take unequally many calls of the compiled loop."""
    monkeypatch.setattr(compiled, "PIECE", 7)
    generator = untrained("generate", kind)
    asked = Signatures(generator, compiled=True)
    inputs = inputs_of(steady(generator, WANTED))
    assert len(inputs["seed"]) >= 4

    def both(name: str, inputs: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
        return asked.answer(name, inputs), asked.answer(f"{name}_compiled", inputs)

    for name in ("generate", "serving_default"):
        one, other = both(name, inputs)
        assert one["text"].tolist() == other["text"].tolist()
    start = asked.answer("start", inputs)
    one, other = both("continue", {**inputs, **start, "length": np.minimum(inputs["length"], 9)})
    assert one.pop("text").tolist() == other.pop("text").tolist()
    for name, value in one.items():
        np.testing.assert_allclose(other[name], value, rtol=1e-4, atol=1e-4, err_msg=name)


def test_no_rows_are_no_texts(untrained: Make) -> None:
    asked = Signatures(untrained("generate", "lstm"), compiled=True)
    none = {name: value[:0] for name, value in inputs_of(list(WANTED)).items()}
    assert asked.answer("generate_compiled", none)["text"].shape == (0,)


@pytest.mark.parametrize(
    ("decoding", "also_default"),
    [({"stop": "\n"}, False), ({"top_k": 3}, True), ({"temperature": 0.5}, True)],
)
def test_the_default_signature_has_a_form_if_its_options_do(
    untrained: Make, decoding: dict[str, Any], also_default: bool
) -> None:
    generator = untrained("generate", "lstm")
    config = generator.config.model_copy(update={"decoding": DecodingConfig(**decoding)})
    changed = type(generator)(generator.run, config, generator.preprocessor, generator.model)
    asked = Signatures(changed, compiled=True)
    assert asked.compiled.keys() == {"generate", "continue", *["serving_default"] * also_default}
    for name, form in asked.compiled.items():
        assert form.signature == f"{name}_compiled"
        assert form.signature in asked.endpoints
    assert not Signatures(changed).compiled


@pytest.mark.slow
def test_an_export_has_them_if_it_is_asked_to(
    untrained: Make, exported: Callable[..., Path], tmp_path: Path
) -> None:
    """It is verified with them, and a server without XLA can load it."""
    path = untrained("generate", "simple_rnn").export(tmp_path, compiled=True, explain=False)
    manifest = read_manifest(path)
    names = ("serving_default", "generate", "continue")
    assert manifest.compiled == {
        name: CompiledForm(signature=f"{name}_compiled", rows=(1, 4)) for name in names
    }
    for name, form in manifest.compiled.items():
        assert manifest.signatures[form.signature] == manifest.signatures[name]
        assert manifest.limits[form.signature] == manifest.limits[name]
    graph = read_graph(path)
    assert compiled_functions(graph) == set()
    assert b"_XlaMustCompile" in (path / "saved_model.pb").read_bytes()
    recorded = {name for name, _ in recorded_requests(path / WARMUP)}
    assert recorded == manifest.signatures.keys() - {f"{name}_compiled" for name in names}
    assert not read_manifest(exported("generate", "lstm")).compiled
