"""Four small runs on real text, looked into side by side."""

import gzip
import json
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

pytestmark = pytest.mark.acceptance

Textapps = Callable[..., subprocess.CompletedProcess[str]]
KINDS = ("simple_rnn", "lstm", "gru", "transformer")


def test_four_runs_on_2_000_characters(
    textapps: Textapps, shared_data: Path, tmp_path: Path
) -> None:
    """A minute at most, a file of 3 MB at most, and what the literature says of the four."""
    data = shared_data / "tinyshakespeare.txt.gz"
    if not data.is_file():
        pytest.skip(f"needs {data}")
    runs = []
    for kind in KINDS:
        options = ("--preset", "small", "--max-seconds", "60", "--backbone", kind)
        result = textapps("generate", "train", "--data", str(data), *options, timeout=600)
        assert result.returncode == 0, result.stderr
        runs += ["--run", Path(result.stdout.strip()).name]
    (tmp_path / "text.txt").write_text(gzip.decompress(data.read_bytes())[-2000:].decode())
    began = time.monotonic()
    result = textapps("generate", "inspect", "text.txt", *runs, timeout=600)
    seconds = time.monotonic() - began
    assert (result.returncode, result.stdout) == (0, "inspect.html\n"), result.stderr
    assert seconds <= 60
    assert (tmp_path / "inspect.html").stat().st_size <= 3_000_000
    result = textapps("generate", "inspect", "text.txt", *runs, "--json", timeout=600)
    found = [run["sections"] for run in json.loads(result.stdout)["runs"]]
    by_kind = dict(zip(KINDS, found, strict=True))
    for kind in ("lstm", "gru"):  # their gradient reaches further back than that of a SimpleRNN
        medians = [
            by_kind[k]["gradient"]["data"]["state_after"]["median"] for k in (kind, KINDS[0])
        ]
        assert medians[0][40] > 1e3 * medians[1][40]
    assert "no gates" in by_kind["transformer"]["state"]["note"]
    for kind in KINDS:
        assert by_kind[kind]["gradient"]["data"]["clipped_steps"] >= 0
        told = {
            row["property"] for row in by_kind[kind]["units"]["data"]["findings"] if row["holds"]
        }
        assert "inside a word" in told
