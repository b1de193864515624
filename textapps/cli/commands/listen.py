"""`textapps speech listen`."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from textapps.cli.field_options import checked_options, field_options
from textapps.cli.loading import load_run
from textapps.cli.options import Choice, FiniteRange, examples, run_options, talk_options
from textapps.cli.tensorflow_start import compute_in_one_thread
from textapps.core.names import DETECTION_FORMATS, DetectionFormat, TaskName

if TYPE_CHECKING:
    from textapps.tasks.speech.recordings import Waveform


def command(task: TaskName) -> click.Command:
    """Finds commands in a long recording by a run of the task."""

    @click.command(
        "listen",
        epilog=examples(
            "textapps speech listen meeting.wav",
            "arecord -q -t raw -f S16_LE -r 16000 -c 1 | textapps speech listen -",
            "textapps speech listen --microphone --false-alarms-per-hour 2",
            "textapps speech listen meeting.wav --threshold 0.9 --output-format srt",
        ),
    )
    @click.argument("recording", metavar="[FILE|-]", required=False)
    @click.option(
        "--microphone",
        is_flag=True,
        help="Listen to the default microphone; needs the package sounddevice.",
    )
    @field_options(task, "listen")
    @click.option(
        "--false-alarms-per-hour",
        metavar="N",
        type=FiniteRange(0),
        help="In place of --threshold: the one that misses fewest commands with at most so many "
        "false alarms in a stream of the run's validation clips.",
    )
    @click.option(
        "--output-format",
        type=Choice("format", DETECTION_FORMATS),
        help="Tab-separated lines, JSON lines, or subtitles.  [default: tsv]",
    )
    @click.option("--json", "as_json", is_flag=True, help="As --output-format jsonl.")
    @click.option(
        "--save-uncertain",
        metavar="DIR",
        type=click.Path(file_okay=False, path_type=Path),
        help="Save clips in which a command was nearly detected, to label and train on them.",
    )
    @run_options
    @talk_options
    def listen(
        recording: str | None,
        microphone: bool,
        false_alarms_per_hour: float | None,
        output_format: DetectionFormat | None,
        as_json: bool,
        save_uncertain: Path | None,
        run: str | None,
        models_dir: Path,
    ) -> None:
        """Print the commands in a long recording as they are heard: seconds, command, probability.

        '-' is standard input: raw samples of 16 bits, one channel, at the rate of the model
        (16 kHz).
        """
        options = checked_options(task, "detection")
        if microphone == (recording is not None):
            raise click.UsageError("give a FILE, '-' or --microphone, and one of them only")
        if as_json and output_format not in (None, "jsonl"):
            raise click.UsageError(f"--json and --output-format {output_format} contradict")
        if false_alarms_per_hour is not None and "threshold" in options:
            raise click.UsageError("--threshold and --false-alarms-per-hour choose the same thing")
        if recording not in (None, "-"):
            from textapps.tasks.speech.pieces import check_listenable

            check_listenable(Path(str(recording)))
        compute_in_one_thread()
        recognizer = load_run(task, models_dir, run)
        from textapps.tasks.speech.detections import printed

        audio = recognizer.config.preprocessor
        show = printed("jsonl" if as_json else output_format or "tsv", 1_000 * audio.clip_seconds)
        found = recognizer.listen(
            _pieces(recording, audio.sample_rate),
            false_alarms_per_hour=false_alarms_per_hour,
            save_uncertain=save_uncertain,
            **options,
        )
        for number, heard in enumerate(found, 1):
            click.echo(show(number, heard))

    return listen


def _pieces(recording: str | None, rate_hz: int) -> "Iterator[Waveform]":
    """Of a file, of standard input, or, for None, of the microphone."""
    from textapps.tasks.speech.microphone import microphone_pieces
    from textapps.tasks.speech.pieces import pcm_pieces, pieces_of

    if recording is None:
        return microphone_pieces(rate_hz)
    if recording == "-":
        return pcm_pieces(sys.stdin.buffer)
    return pieces_of(Path(recording), rate_hz)
