"""`textapps speech listen`."""

import json
import sys
from pathlib import Path

import click

from textapps.cli.field_options import checked_options, field_options
from textapps.cli.loading import load_run
from textapps.cli.options import examples, json_lines_option, run_options, talk_options
from textapps.core.errors import DataError
from textapps.core.names import TaskName


def command(task: TaskName) -> click.Command:
    """Finds commands in a long recording by a run of the task."""

    @click.command(
        "listen",
        epilog=examples(
            "textapps speech listen meeting.wav",
            "arecord -q -t raw -f S16_LE -r 16000 -c 1 | textapps speech listen -",
            "textapps speech listen meeting.wav --threshold 0.9 --json",
        ),
    )
    @click.argument("recording", metavar="FILE|-")
    @field_options(task, "listen")
    @json_lines_option
    @run_options
    @talk_options
    def listen(recording: str, as_json: bool, run: str | None, models_dir: Path) -> None:
        """Print the commands in a long recording as they are heard: seconds, command, probability.

        '-' is standard input: raw samples of 16 bits, one channel, at the rate of the model
        (16 kHz).
        """
        options = checked_options(task, "detection")
        if recording != "-" and not Path(recording).is_file():
            raise DataError(f"{recording}: no such file")
        recognizer = load_run(task, models_dir, run)
        from textapps.tasks.speech.pieces import pcm_pieces, pieces_of

        if recording == "-":
            pieces = pcm_pieces(sys.stdin.buffer)
        else:
            pieces = pieces_of(Path(recording), recognizer.config.preprocessor.sample_rate)
        for heard in recognizer.listen(pieces, **options):
            seconds = heard.time_ms / 1_000
            if as_json:
                fields = {
                    "seconds": round(seconds, 3),
                    "label": heard.label,
                    "probability": heard.probability,
                }
                click.echo(json.dumps(fields, ensure_ascii=False))
            else:
                click.echo(f"{seconds:.2f}\t{heard.label}\t{heard.probability:.4f}")

    return listen
