"""What every benchmark is: a table of suites.toml, whose values options change, and figures."""

import argparse
import importlib
import tempfile
import tomllib
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from benchmarks.results import Figures, Results
from benchmarks.sides import interleave, opened
from benchmarks.trainings import Training
from textapps.core.errors import ConfigurationError, unknown

SUITES = tomllib.loads(Path(__file__).with_name("suites.toml").read_text(encoding="utf-8"))
WORK = Path("models/benchmarks")


class Table(BaseModel):
    """A table of a TOML file, without unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Context(NamedTuple):
    """Where runs and results go, whether to measure again, and the words of the command line."""

    work: Path = WORK
    results: Results = Results()
    again: bool = False
    words: Sequence[str] = ()


Measurement = tuple[str, Callable[[], Figures]]  # the name of a result, and what measures it


class Benchmark(Table):
    """Fields with a description are options of the command; suites.toml has their defaults."""

    name: str
    question: str
    takes: str

    def measurements(self, context: Context) -> Iterable[Measurement]:
        yield self.name, lambda: self.measure(context)

    def measure(self, context: Context) -> Figures:
        """The figures, where the command measures one result."""
        raise NotImplementedError

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        """Adds an option for each field that is one; an option not given has no value."""
        for name, field in type(self).model_fields.items():
            if field.description:
                value = getattr(self, name)
                several: dict[str, Any] = {"nargs": "+"} if isinstance(value, tuple) else {}
                shown = " ".join(map(str, value)) if several else value
                text = field.description + (f" ({shown})" if shown not in (None, "") else "")
                option = f"--{name.replace('_', '-')}"
                parser.add_argument(option, default=argparse.SUPPRESS, help=text, **several)


class Comparison(Benchmark):
    """A comparison of speeds; `sides` says which functions make the sides (benchmarks/sides.py)."""

    sides: Mapping[str, str]
    rounds: int = Field(description="how often each side is asked")

    def asked(self, cases: Sequence[Any], **settings: Any) -> tuple[Any, dict[str, str]]:
        """For each case each side's first answer and one a round; and why sides are left out."""
        with (
            tempfile.TemporaryDirectory(prefix="textapps-benchmark-") as scratch,
            opened(self.sides, scratch=scratch, **settings) as (sides, left_out),
        ):
            return interleave(sides, cases, 1 + self.rounds), left_out


class Trained(Benchmark):
    """A benchmark that trains models by presets.

    Args:
        source: options of `textapps <task> train`, in which the value of --data stands.
    """

    source: tuple[str, ...] = ("--data", "{data}")
    data: str | None = Field(None, description="a data set, a file or a folder")
    data_dir: str | None = Field(None, description="where tensorflow_datasets has prepared it")
    preset: str = Field("small", description="of the task")
    set: tuple[str, ...] = Field((), description="other values than the preset's, as KEY=VALUE")

    def data_options(self, context: Context) -> list[str]:
        """The options of `textapps <task> train` that say what the data are."""
        if self.data is None:
            raise ConfigurationError(f"{self.name} needs --data DIR (see benchmarks/README.md)")
        words = [word.format(data=self.data) for word in self.source]
        return words + (["--data-dir", self.data_dir] if self.data_dir else [])

    def training(
        self, context: Context, task: str, backbone: str, changes: Mapping[str, object]
    ) -> Training:
        """A training by the preset with some changes, and with those of --set."""
        changed = {key: str(value) for key, value in changes.items()}
        changed |= dict(each.split("=", 1) for each in self.set)
        return Training(task, self.preset, tuple(self.data_options(context)), backbone, changed)


def load(name: str) -> Benchmark:
    """The benchmark of a table of suites.toml; SystemExit if there is none."""
    if name not in SUITES:
        raise SystemExit(f"error: {unknown('benchmark', name, SUITES)}")
    values = dict(SUITES[name])
    module, _, kind = values.pop("kind").partition(":")
    made = getattr(importlib.import_module(f"benchmarks.suites.{module}"), kind)
    benchmark: Benchmark = made.model_validate({"name": name, **values})
    return benchmark


def parsed(words: Sequence[str]) -> tuple[Benchmark, Context]:
    """The benchmark that a command line names, with its options, and where it runs."""
    benchmark = load(words[0])
    parser = argparse.ArgumentParser(
        f"python -m benchmarks {benchmark.name}", description=benchmark.question, allow_abbrev=False
    )
    benchmark.add_options(parser)
    parser.add_argument("--work", type=Path, default=WORK, help=f"where runs go ({WORK})")
    parser.add_argument("--results", type=Path, help="where results go (docs/results)")
    parser.add_argument("--again", action="store_true", help="measure what is there again")
    given = vars(parser.parse_args(words[1:]))
    work, folder, again = (given.pop(name) for name in ("work", "results", "again"))
    try:
        benchmark = type(benchmark).model_validate({**benchmark.model_dump(), **given})
    except ValidationError as error:
        first = error.errors()[0]
        parser.error(f"--{str(first['loc'][0]).replace('_', '-')}: {first['msg']}")
    if isinstance(benchmark, Trained) and benchmark.set and not folder:
        parser.error("--set changes what is measured: give --results DIR too")
    return benchmark, Context(work, Results(folder) if folder else Results(), again, words)
