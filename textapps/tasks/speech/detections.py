"""How detections are printed: tab-separated, as JSON lines, or as subtitles."""

import json
from collections.abc import Callable

from textapps.core.names import DetectionFormat
from textapps.decoding.detector import Detection


def printed(kind: DetectionFormat, clip_ms: float) -> Callable[[int, Detection], str]:
    """A function of the number of a detection, from 1, and the detection.

    Args:
        clip_ms: the length of a clip; a subtitle is shown from one clip before the detection on.

    >>> show = printed("srt", 1000)
    >>> print(show(1, Detection("go", 61_250.0, 0.9)))
    1
    00:01:00,250 --> 00:01:01,250
    go
    <BLANKLINE>
    """

    def tsv(_: int, heard: Detection) -> str:
        return f"{heard.time_ms / 1_000:.2f}\t{heard.label}\t{heard.probability:.4f}"

    def jsonl(_: int, heard: Detection) -> str:
        fields = {
            "seconds": round(heard.time_ms / 1_000, 3),
            "label": heard.label,
            "probability": heard.probability,
        }
        return json.dumps(fields, ensure_ascii=False)

    def srt(number: int, heard: Detection) -> str:
        start = _clock(max(0.0, heard.time_ms - clip_ms))
        return f"{number}\n{start} --> {_clock(heard.time_ms)}\n{heard.label}\n"

    return {"tsv": tsv, "jsonl": jsonl, "srt": srt}[kind]


def _clock(milliseconds: float) -> str:
    """
    >>> _clock(3_723_004.4)
    '01:02:03,004'
    """
    seconds, rest = divmod(round(milliseconds), 1_000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02}:{minutes:02}:{seconds:02},{rest:03}"
