"""Searches of a given time beside the preset, on small data sets."""

import csv
import gzip
import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from statistics import mean

from pydantic import Field

from benchmarks import processes
from benchmarks.benchmark import Benchmark, Context, Measurement, Table
from benchmarks.results import Figures, rounded
from benchmarks.suites.small_data import drawn, write_texts
from benchmarks.trainings import Training, evaluated
from textapps.core.errors import ConfigurationError
from textapps.core.files import write_file
from textapps.evaluation.metrics.differences import is_less_better
from textapps.search.narrowing import START
from textapps.training.run_directory import RunDirectory

RECORD = "search.json"


class Case(Table):
    """A data set of a task.

    Args:
        place: the option that says where the data are; the case is left out without it.
        metric: of the test split.
        options: of `textapps <task> train` and `search`; {data} is the place, or what is made of
            it.
    """

    label: str
    task: str
    place: str
    metric: str
    options: tuple[str, ...]


class SearchQuality(Benchmark):
    """For each case and random seed the test figures of the preset and of a search."""

    imdb: str | None = Field(None, description="where tensorflow_datasets has prepared IMDB")
    reviews: str | None = Field(None, description="folder of chnsenticorp_train.tsv.gz and others")
    pairs: str | None = Field(None, description="file of sentence pairs, separated by a tab")
    poems: str | None = Field(None, description="table of poems with the column text")
    clips: str | None = Field(None, description="folder of the recordings of Speech Commands")
    minutes: float = Field(description="of a search")
    seeds: int = Field(description="random seeds of each case")
    preset: str = Field(description="of all tasks")
    set: tuple[str, ...] = Field((), description="other values of both, as KEY=VALUE")
    trials: int = Field(0, description="of a search at most, 0 for as many as there is time for")
    rows: int = Field(description="reviews of IMDB for training and validation")
    most_pairs: int = Field(description="sentence pairs")
    most_poems: int = Field(description="poems")
    cases: Mapping[str, Case]

    def measurements(self, context: Context) -> Iterator[Measurement]:
        """A result for each case whose data are there."""
        given = {name: case for name, case in self.cases.items() if getattr(self, case.place)}
        if not given:
            places = ", ".join(dict.fromkeys(f"--{case.place}" for case in self.cases.values()))
            raise ConfigurationError(f"{self.name} needs one of {places}")
        for name, case in given.items():
            yield f"{self.name}-{name}", partial(self.figures, context, name, case)

    def figures(self, context: Context, name: str, case: Case) -> Figures:
        """The figures of a case."""
        data = self.prepared(case, Path(getattr(self, case.place)), context.work / self.name)
        words = [word.format(data=data) for word in case.options]
        found = self.compared(context, name, case, words)
        used = found["search"]["wall_seconds"]
        return {
            "minutes": self.minutes,
            "preset_name": self.preset,
            **found,
            "time_off": round(max(abs(each / (60 * self.minutes) - 1) for each in used), 4),
        }

    def compared(self, context: Context, name: str, case: Case, words: Sequence[str]) -> Figures:
        """The preset and a search with each random seed, and which of both is better."""
        preset, search = [], []
        for seed in range(self.seeds):
            changes = dict(each.split("=", 1) for each in self.set)
            source = (*words, "--random-seed", str(seed))
            folder = context.work / self.name / f"{name}-{seed}"
            training = Training(case.task, self.preset, source, None, changes)
            run, cost = training.finished(folder / "preset", again=context.again)
            figure = evaluated(run)["metrics"][case.metric]
            taken = {key: cost[key] for key in ("wall_seconds", "cpu_seconds")}
            preset.append({"figure": figure, **taken})
            search.append(self.searched(case, training, folder / "search", context.again))
        ours, theirs = (mean(each["figure"] for each in of) for of in (search, preset))
        better = ours < theirs if is_less_better(case.metric) else ours > theirs
        return {
            "label": case.label,
            "task": case.task,
            "metric": case.metric,
            "preset": figures_of(preset),
            "search": figures_of(search),
            "starts": [each["changes"].get(START, "none") for each in search],
            "better": better,
        }

    def searched(self, case: Case, training: Training, folder: Path, again: bool) -> Figures:
        """The test figure and the costs of a search, made once."""
        limit = ["--trials", str(self.trials)] if self.trials else []
        asked = [*training.arguments, "--minutes", str(self.minutes), *limit]
        record = folder / RECORD
        known = json.loads(record.read_text()) if record.is_file() else {}
        if again or known.get("asked") != asked:
            shutil.rmtree(folder, ignore_errors=True)
            words = [*asked, "--json", "--quiet", "--models-dir", str(folder)]
            done = processes.textapps(case.task, "search", *words)
            found = json.loads(done.stdout)
            run = RunDirectory.open(Path(found["run"]))
            known = {
                "asked": asked,
                "figure": evaluated(run)["metrics"][case.metric],
                "wall_seconds": round(done.seconds, 1),
                "trials": len(found["tried"]),
                "to_the_end": sum(row["ended"] for row in found["tried"]),
                "peak_memory_mb": done.peak_memory_mb,
                "backbone": run.config["backbone"]["kind"],
                "changes": {key: values[1] for key, values in found["changes"].items()},
                "baseline": found["baseline"],
            }
            record.write_text(json.dumps(known))
        return {key: value for key, value in known.items() if key != "asked"}

    def prepared(self, case: Case, place: Path, folder: Path) -> Path:
        """Where the data of a case are, a small part of a large set."""
        folder.mkdir(parents=True, exist_ok=True)
        if case.place == "imdb":
            return imdb(place, folder / "imdb", self.rows)
        if case.place == "pairs":
            rows = (f"{one}\t{other}" for one, other, *_ in lines(place))
            return sample(rows, folder / "pairs.tsv", self.most_pairs)
        if case.place == "poems":
            table = lines(place)
            column = next(table).index("text")
            texts = (cells[column] for cells in table)
            return sample(texts, folder / "poems.tsv", self.most_poems, header="text")
        return place


def figures_of(found: Sequence[Figures]) -> Figures:
    """The mean of the figures, and all values of all seeds by name."""
    return {
        **rounded({"mean": mean(each["figure"] for each in found)}, 4),
        **{key: [each[key] for each in found] for key in found[0]},
    }


def imdb(place: Path, folder: Path, rows: int) -> Path:
    """A folder of train.csv, validation.csv and test.csv; a tenth of the rows is validation."""
    from textapps.datasets.config import DataConfig
    from textapps.datasets.texts.loader import load_texts

    folder.mkdir(exist_ok=True)
    source = "imdb_reviews" if (place / "imdb_reviews").is_dir() else str(place)
    splits = load_texts(DataConfig(source=source, data_dir=str(place)))
    sizes = {"train": rows - rows // 10, "validation": rows // 10, "test": rows}
    for split, (name, size) in zip(splits, sizes.items(), strict=True):
        write_texts(folder / f"{name}.csv", split, drawn(len(split), size, 0))
    return folder


def lines(path: Path) -> Iterator[list[str]]:
    """The rows of a table that is separated by tabs, without quoting."""
    opened = gzip.open if path.suffix == ".gz" else open
    with opened(path, "rt", encoding="utf-8", newline="") as file:
        yield from csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE)


def sample(rows: Iterator[str], path: Path, most: int, header: str | None = None) -> Path:
    """Some of the rows as a file, the same in every call and in their order."""
    known = list(rows)
    chosen = sorted(drawn(len(known), most, 0).tolist())
    kept = [known[row] for row in chosen]
    write_file(path, "\n".join([*([header] if header else []), *kept]) + "\n")
    return path
