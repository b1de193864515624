"""Make the golden export: `python tests/golden/make.py RUN`, once for a format, then commit it.

RUN is a finished run of sentiment on the bundled sample with the preset tiny. The answers are
those of the new export, which has just been verified against its run. An existing golden export
is never replaced: what it stands for is that exports of earlier versions still answer.
"""

import json
import shutil
import sys
import tempfile
from pathlib import Path

import textapps
from textapps.exporting.verification import Case, ask

GOLDEN = Path(__file__).parent
TEXTS = [
    "",
    "A wonderful film, I loved every minute of it.",
    "Dull, far too long and badly acted.",
    "It is a film.",
    "这部电影非常好看。",
    "not bad at all " * 40,
]


def main(run: str) -> None:
    target = GOLDEN / "sentiment" / "1"
    if target.exists():
        sys.exit(f"{target} exists and must keep answering: it is not made again")
    with tempfile.TemporaryDirectory() as models_dir:
        task = textapps.load("sentiment", run=run)
        exported = task.export(models_dir=models_dir)
        inputs = {"text": TEXTS}
        (outputs,) = ask(exported, [("serving_default", inputs)])
        shutil.copytree(exported, target)
    case = Case("serving_default", inputs, outputs)
    text = json.dumps({"format": 1, "cases": [case.to_json()]}, ensure_ascii=False, indent=1)
    (GOLDEN / "sentiment.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
