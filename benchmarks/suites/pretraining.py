"""Classifiers that start from a language model of the same and of further texts."""

from dataclasses import replace

from pydantic import Field

from benchmarks.benchmark import Context, Trained
from benchmarks.results import Figures, rounded
from benchmarks.suites.accuracy import nbsvm
from benchmarks.trainings import evaluated, facts
from textapps.core.names import PRETRAINING, TaskName
from textapps.training.data_record import read_data_record
from textapps.training.run_directory import RunDirectory

TASK: TaskName = "sentiment"


class Pretraining(Trained):
    """Pre-trains, trains a classifier from that, evaluates it, and NB-SVM beside it.

    --set changes both.

    Args:
        pretraining: values of the pre-training's configuration, by dotted key.
        classifier: the same of the classifier's.
        preset: of both.
    """

    backbone: str = Field(description="of both")
    more: tuple[str, ...] = Field((), description="further texts to pre-train on")
    splits: tuple[str, ...] = Field((), description="the data to validate and to test on")
    pretraining: dict[str, str] = Field({})
    classifier: dict[str, str] = Field({})

    def measure(self, context: Context) -> Figures:
        folder = context.work / self.name
        source = self.data_options(context)
        for option, data in zip(("--validation-data", "--test-data"), self.splits, strict=False):
            source += [option, data]
        more = [word for data in self.more for word in ("--data", data)]
        first = self.training(context, PRETRAINING[TASK], self.backbone, self.pretraining)
        first = replace(first, source=(*source, *more))
        start, first_cost = first.finished(folder / "pretrained", again=context.again)
        training = self.training(context, TASK, self.backbone, self.classifier)
        training = replace(training, source=(*source, "--init-from", str(start.path.absolute())))
        run, cost = training.finished(folder / "classifier", again=context.again)
        summary = evaluated(run)
        metrics = {key: value for key, value in summary["metrics"].items() if key != "seconds"}
        return {
            "data": f"{summary['data']}, {summary['split']} split",
            "pretraining": {**facts(start), **first_cost, "texts": _texts(start)},
            **facts(run),
            **cost,
            "training_examples": _texts(run),
            "test_examples": summary["examples"],
            "parameters": metrics.pop("parameters"),
            "metrics": rounded(metrics, 6),
            **nbsvm(run, summary, folder),
        }


def _texts(run: RunDirectory) -> int:
    count: int = read_data_record(run)["train"]["examples"]
    return count
