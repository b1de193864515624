"""Make a golden export: `python tests/golden/make.py TASK RUN`, once for a format, then commit it.

RUN is a finished run of TASK on the bundled sample with the preset tiny. The answers are those of
the new export, which has just been verified against its run. An existing golden export is never
replaced: what it stands for is that exports of earlier versions still answer.
"""

import io
import json
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

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


# Of the sample's language and learnt, so that no rank hangs on how a machine rounds.
SENTENCES = [
    "",
    "Three geese hide a red lamp.",
    "We do not sing in the market now.",
    "The kings will not follow the letter one day.",
]


def questions(task: str, loaded: Any) -> list[tuple[str, Any]]:
    """Signatures and inputs."""
    if task == "sentiment":
        return [("serving_default", {"text": TEXTS})]
    if task == "translate":
        return [(name, {"source": SENTENCES}) for name in ("serving_default", "n_best")]
    if task == "speech":
        return spoken_questions(loaded)
    from textapps.tasks.generate.export_cases import make_cases
    from textapps.tasks.generate.signatures import Signatures

    # whose texts do not hang on how a machine rounds
    return [(case.signature, case.inputs) for case in make_cases(loaded, Signatures(loaded))]


def spoken_questions(recognizer: Any) -> list[tuple[str, Any]]:
    """Clips of the sample's test split, half of them files of half the rate, and a bad one."""
    from textapps.tasks.speech.data import load_split

    clips = load_split(recognizer.config, "test", recognizer.labels)
    waveforms = clips.waveforms([3, 40, 77])
    files = []
    for waveform, step in zip(waveforms, (2, 2, 1), strict=True):
        file = io.BytesIO()
        soundfile.write(file, waveform[::step], clips.rate_hz // step, "PCM_16", format="WAV")
        files.append(file.getvalue())
    samples = np.array([1_700, 2_900, 3_200], np.int32)
    return [
        ("serving_default", {"audio_bytes": [*files, b"RIFF"]}),
        ("waveform", {"waveform": waveforms[:, 4_000:7_200], "samples": samples}),
    ]


def main(task: str, run: str) -> None:
    target = GOLDEN / task / "1"
    if target.exists():
        sys.exit(f"{target} exists and must keep answering: it is not made again")
    with tempfile.TemporaryDirectory() as models_dir:
        loaded = textapps.load(task, run=run)
        # Warm-up requests of sounds are as large as all else ten times over.
        exported = loaded.export(models_dir=models_dir, warmup=task != "speech")
        asked = questions(task, loaded)
        answers = ask(exported, asked, tensorflow_text=task == "translate")
        shutil.copytree(exported, target)
    cases = [
        Case(signature, inputs, outputs).to_json()
        for (signature, inputs), outputs in zip(asked, answers, strict=True)
    ]
    text = json.dumps({"format": 1, "cases": cases}, ensure_ascii=False, indent=1)
    (GOLDEN / f"{task}.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
