"""The report on a recogniser."""

from typing import Any

from textapps.evaluation.reports.sections import Report
from textapps.preprocessing.log_mel import FrontEnd
from textapps.tasks.report import facts
from textapps.tasks.speech.evaluate import SpeechEvaluation
from textapps.tasks.speech.predictor import SpeechRecognizer
from textapps.training.history import read_history


def report(recognizer: SpeechRecognizer, evaluation: SpeechEvaluation) -> Report:
    """The figures, curves and mistakes of a recogniser, also in noise and in a stream."""
    # Imported here because the plotting library is slow to import.
    from textapps.evaluation.reports.speech import pictures_of_mistakes, speech_sections

    config, summary, clips = recognizer.config, evaluation.summary, evaluation.examples
    audio, metrics, names = config.preprocessor, summary["metrics"], clips.short_places
    # Pictures show log-mel spectrograms, whatever features the model takes.
    front_end = FrontEnd(audio.model_copy(update={"kind": "log-mel"}))

    def features_of(row: int) -> tuple[Any, float]:
        frames = front_end.frames(clips.waveforms([row]))
        return frames[0].numpy(), audio.clip_seconds

    sections = speech_sections(
        clips.labels,
        evaluation.scores,
        clips.names,
        metrics=metrics,
        clips=names,
        speakers=clips.speakers,
        noisy=evaluation.noisy,
        conditions=evaluation.conditions,
        streaming=evaluation.streaming,
        rejection=evaluation.rejection,
        pictures=pictures_of_mistakes(
            names, clips.labels, evaluation.scores, clips.names, features_of
        ),
        history=read_history(recognizer.run),
    )
    own = facts(
        recognizer,
        summary,
        "clips",
        size=f"{4 * metrics['parameters'] / 1_000:,.0f} kB",
        reads="as it comes (streaming)" if config.model.streaming else "both ways",
        features=f"{audio.features} of {audio.kind} every {audio.hop_ms:g} ms",
        commands=", ".join(recognizer.commands),
    )
    own["one clip takes"] = f"{metrics['milliseconds_per_clip']:.1f} ms (warm, the median)"
    return Report(f"Speech: {config.reads_with} on {summary['data']}", own, sections)
