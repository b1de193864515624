"""The signatures of a translator that XLA compiles answer as the others do."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from textapps.decoding.config import SearchConfig
from textapps.decoding.hypotheses import possible
from textapps.savedmodel.graph import compiled_functions, read_graph
from textapps.savedmodel.manifest import CompiledForm, read_manifest
from textapps.savedmodel.warmup import WARMUP, recorded_requests
from textapps.tasks.translate import compiled, export
from textapps.tasks.translate.compiled import CompiledSearch

Make = Callable[[str, str], Any]

TEXTS = ("bab dek.", "", "kos nep dek bab 17 kos 4.", "猫 dek", "bab. Dek nep.", "bab kos " * 9)
BEAM = SearchConfig(beam=3, n_best=2)
GREEDY = SearchConfig(beam=1, max_extra=3)
RULES = SearchConfig(beam=4, no_repeat_ngram_size=2, repetition_penalty=1.5, length_penalty=0)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "config"),
    [
        ("transformer", BEAM),
        pytest.param("transformer", RULES, marks=pytest.mark.exhaustive),
        pytest.param("lstm", RULES, marks=pytest.mark.exhaustive),
        pytest.param("gru", GREEDY, marks=pytest.mark.exhaustive),
    ],
)
def test_translations_are_those_of_the_search_that_is_not_compiled(
    untrained: Make, kind: str, config: SearchConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Texts of one short sentence, of several, and of one that is too long to be compiled."""
    monkeypatch.setattr(compiled, "LONGEST", 16)
    translator = untrained("translate", kind)
    search = CompiledSearch(translator.model, translator.preprocessor)
    lengths = translator.search.traced_lengths(config)(tf.constant(TEXTS)).numpy()
    assert lengths.min() < 16 < lengths.max()
    for text in TEXTS:
        expected, found = (
            each(tf.constant([text]), [0], config) for each in (translator.search, search)
        )
        np.testing.assert_allclose(found[1], expected[1], rtol=1e-4, atol=1e-4)
        for rank in np.flatnonzero(possible(expected[1][0])):
            assert found[0][0, rank] == expected[0][0, rank]


@pytest.mark.exhaustive
def test_an_export_has_them_if_it_is_asked_to(untrained: Make, tmp_path: Path) -> None:
    """It is verified with them, and a server without XLA can load it."""
    path = untrained("translate", "gru").export(tmp_path, compiled=True, explain=False)
    manifest, names = read_manifest(path), ("serving_default", "n_best")
    assert manifest.compiled == {
        name: CompiledForm(signature=f"{name}_compiled", rows=(1,)) for name in names
    }
    for name, form in manifest.compiled.items():
        assert manifest.signatures[form.signature] == manifest.signatures[name]
        assert manifest.limits[form.signature] == manifest.limits[name]
    assert compiled_functions(read_graph(path)) == set()
    recorded = {name for name, _ in recorded_requests(path / WARMUP)}
    assert recorded == manifest.signatures.keys() - {f"{name}_compiled" for name in names}


def test_drawn_answers_have_no_compiled_form(
    untrained: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Any] = []

    def keep(endpoints: Any, **given: Any) -> Path:
        asked.append((set(endpoints), given["manifest_fields"]["compiled"]))
        return tmp_path

    monkeypatch.setattr(export, "export_model", keep)
    translator = untrained("translate", "gru")
    decoding = SearchConfig(temperature=0.5)
    config = translator.config.model_copy(update={"decoding": decoding})
    drawing = type(translator)(translator.run, config, translator.preprocessor, translator.model)
    for translator in (drawing, untrained("translate", "gru")):
        translator.export(tmp_path, compiled=True, explain=False, verify=False)
    names = {"serving_default", "n_best", "length"}
    drawn, usual = asked
    assert drawn == (names, {})
    assert usual[1].keys() == {"serving_default", "n_best"}  # without a temperature they have one
