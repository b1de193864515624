"""What training says of the texts that it is given."""

import logging
from pathlib import Path

import pytest

from textapps.tasks.sentiment.config import PRESETS
from textapps.tasks.sentiment.data import load_training


@pytest.mark.parametrize(("tokens", "told"), [("word", True), ("char", False)])
def test_texts_without_blanks_need_characters(
    tmp_path: Path, caplog, tokens: str, told: bool
) -> None:
    rows = [f"{n % 2},这部电影真的非常好看{n}我还想再看一遍" for n in range(120)]
    path = tmp_path / "films.csv"
    path.write_text("\n".join(["label,text", *rows]), encoding="utf-8")
    flags = {"preset": "tiny", "data.source": str(path), "preprocessor.tokens": tokens}
    with caplog.at_level(logging.WARNING, "textapps"):
        load_training(PRESETS.resolve(flags=flags), ())
    assert any("--tokens char" in message for message in caplog.messages) == told
