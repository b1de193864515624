"""report.html of a speech run."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from textapps.evaluation.reports.report import write_report as write
from textapps.evaluation.reports.sections import Report
from textapps.evaluation.reports.speech import pictures_of_mistakes, speech_sections
from textapps.preprocessing.log_mel import FrontEnd
from textapps.tasks.speech.evaluate import Evaluation
from textapps.training.evaluations import evaluation_path
from textapps.training.history import read_history

if TYPE_CHECKING:
    from textapps.tasks.speech.task import SpeechRecognizer


def write_report(recognizer: "SpeechRecognizer", evaluation: Evaluation) -> Path:
    """Writes what is known of an evaluation as one HTML file, and returns its path.

    That of the run's own test split is report.html, others stand beside their figures.

    Raises:
        RunError: the run cannot be written.
    """
    run, config, summary = recognizer.run, recognizer.config, evaluation.summary
    metrics, clips = summary["metrics"], evaluation.clips
    backbone, audio = config.backbone, config.preprocessor
    facts = {
        "run": run.name,
        "backbone": f"{backbone.kind}, {backbone.layers} x {backbone.units}",
        "reads": "as it comes (streaming)" if config.model.streaming else "both ways",
        "preset": config.preset,
        "parameters": f"{metrics['parameters']:,}, {4 * metrics['parameters'] / 1_000:,.0f} kB",
        "features": f"{audio.features} of {audio.kind} every {audio.hop_ms:g} ms",
        "commands": ", ".join(recognizer.commands),
        "trained on": config.data.source,
        "training": f"{metrics['seconds']:.0f} s",
        "evaluated on": f"{summary['data']}, {summary['split']}: {summary['examples']:,} clips",
        "one clip takes": f"{metrics['milliseconds_per_clip']:.1f} ms (warm, the median)",
    }
    # What is heard, whatever the model is given of it.
    front_end = FrontEnd(audio.model_copy(update={"kind": "log-mel"}))

    def features_of(row: int) -> tuple[Any, float]:
        frames = front_end.frames(clips.waveforms([row]))
        return frames[0].numpy(), audio.clip_seconds

    sections = speech_sections(
        clips.labels,
        evaluation.scores,
        clips.names,
        metrics=metrics,
        clips=clips.places,
        speakers=clips.speakers,
        noisy=evaluation.noisy,
        streaming=evaluation.streaming,
        pictures=pictures_of_mistakes(
            clips.places, clips.labels, evaluation.scores, clips.names, features_of
        ),
        history=read_history(run),
    )
    path = evaluation_path(run, summary).with_suffix(".html")
    if evaluation.default:
        path = run.path / "report.html"
    write(path, Report(f"Speech: {backbone.kind} on {summary['data']}", facts, sections))
    return path
