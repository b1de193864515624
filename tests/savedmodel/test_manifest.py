import json
import re
from pathlib import Path

import pytest

from textapps.core.errors import ExportError
from textapps.savedmodel.limits import CallLimits
from textapps.savedmodel.manifest import MANIFEST, Manifest, checksums, read_manifest

SIGNATURE = {
    "inputs": {"text": {"dtype": "string", "shape": [None]}},
    "outputs": {"scores": {"dtype": "float32", "shape": [None, 2]}},
}


@pytest.fixture
def export(tmp_path):
    (tmp_path / "saved_model.pb").write_bytes(b"graph")
    (tmp_path / "variables").mkdir()
    (tmp_path / "variables" / "data").write_bytes(b"weights")
    Manifest(
        task="sentiment",
        name="reviews",
        backbone="lstm",
        preset="small",
        labels=("schlecht", "好"),
        signatures={"serving_default": SIGNATURE},
        decoding={"temperature": 0.8, "length": 200, "top_k": None},
        sha256=checksums(tmp_path),
    ).write(tmp_path)
    return tmp_path


def test_files_for_litert_have_the_same_schema(tmp_path):
    (tmp_path / "words.tflite").write_bytes(b"float")
    written = Manifest(
        task="speech",
        name="words",
        backbone="gru",
        preset="tiny",
        clip_samples=2_400,
        files={"float": {"file": "words.tflite", "bytes": 5, "milliseconds_per_clip": 0.5}},
        evaluated_on={"data": "words", "split": "test", "examples": 33},
        accuracy={"run": 0.75, "float": 0.5},
        sha256=checksums(tmp_path),
    )
    written.write(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["textapps.json", "words.tflite"]
    assert read_manifest(tmp_path) == written
    (tmp_path / "words.tflite").write_bytes(b"Float")
    with pytest.raises(ExportError, match=r"words\.tflite has changed"):
        read_manifest(tmp_path)


def test_what_only_litert_has_is_not_in_others(export):
    written = json.loads((export / MANIFEST).read_bytes())
    assert not written.keys() & {"clip_samples", "files", "evaluated_on", "accuracy"}
    edit(export, signatures={})
    with pytest.raises(ExportError, match=r"damaged .*neither signatures nor files"):
        read_manifest(export)


def edit(export, **changes):
    path = export / MANIFEST
    path.write_text(json.dumps(json.loads(path.read_text(encoding="utf-8")) | changes))


def test_round_trip(export):
    manifest = read_manifest(export)
    assert manifest.labels == ("schlecht", "好")
    assert manifest.decoding == {"temperature": 0.8, "length": 200, "top_k": None}
    assert manifest.signatures["serving_default"].outputs["scores"].shape == (None, 2)
    assert manifest.sha256.keys() == {"saved_model.pb", "variables/data"}
    assert manifest.versions.keys() == {"textapps", "tensorflow", "keras", "python"}


def test_checksum_is_sha256(tmp_path):
    (tmp_path / "abc").write_bytes(b"abc")
    # The example of FIPS 180-2, appendix B.1.
    expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert checksums(tmp_path) == {"abc": expected}


def test_a_changed_file_is_refused(export):
    (export / "variables" / "data").write_bytes(b"Weights")
    with pytest.raises(ExportError, match="variables/data has changed since it was exported"):
        read_manifest(export)


def test_a_missing_file_is_refused(export):
    (export / "saved_model.pb").unlink()
    with pytest.raises(ExportError, match=r"lacks saved_model\.pb"):
        read_manifest(export)


@pytest.mark.parametrize("found", [2, "1", None, 0])
def test_another_format_is_refused_before_anything_else(export, found):
    edit(export, format=found, labels="not a list")
    with pytest.raises(ExportError, match=f"has format {found!r}.*reads format 1"):
        read_manifest(export)


@pytest.mark.parametrize("text", ["", "{", "\x00", "é"])
def test_text_that_is_no_json_is_refused(export, text):
    (export / MANIFEST).write_text(text, encoding="latin-1")
    with pytest.raises(ExportError, match="damaged") as failure:
        read_manifest(export)
    assert "\n" not in str(failure.value)


def test_json_that_is_no_manifest_is_refused(export):
    (export / MANIFEST).write_text("[1]")
    with pytest.raises(ExportError, match=r"damaged \(it has no format\)"):
        read_manifest(export)
    (export / MANIFEST).write_text(json.dumps({"format": 1, "task": "sentiment"}))
    with pytest.raises(ExportError, match=r"damaged.*name: Field required"):
        read_manifest(export)


def test_an_unknown_key_is_refused(export):
    edit(export, labbels=["a"])
    with pytest.raises(ExportError, match="labbels"):
        read_manifest(export)


def test_a_directory_that_is_no_export(tmp_path):
    with pytest.raises(ExportError, match="is not an export of textapps"):
        read_manifest(tmp_path)


def test_docs_explain_every_field(export):
    page = Path(__file__).parents[2].joinpath("docs", "export.md").read_text(encoding="utf-8")
    section = page.partition("## The manifest")[2].partition("\n## ")[0]
    written = json.loads((export / MANIFEST).read_bytes())
    assert set(written) | set(CallLimits.model_fields) <= set(re.findall(r"`(\w+)`", section))
