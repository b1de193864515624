"""Trains the models that come with the package, and packs them into models/pretrained.

    python models/make.py                 every model of shipped.toml whose data are named
    python models/make.py imdb tang       these
    python models/make.py --pack tang RUN [NAME RUN]...   pack runs that are trained already

The data are named by environment variables (shipped.toml says which); a model whose data are not
named is left out and said. Runs lie in models/shipping, unless --work names another folder; after
an interruption the same command goes on from there.
"""

import argparse
import os
import shlex
import string
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from pydantic import Field

from textapps.core.errors import ConfigurationError, TextappsError, unknown
from textapps.pretrained import store
from textapps.pretrained.facts import Facts
from textapps.pretrained.model import PretrainedModel
from textapps.tasks.packing import Recipe, pack
from textapps.tasks.registry import get_about, get_task
from textapps.training.compact import Weights
from textapps.training.run_directory import RunDirectory

HERE = Path(__file__).parent
TABLE = HERE / "shipped.toml"
TARGET = HERE / "pretrained"
PAGE = HERE.parent / "docs" / "pretrained.md"
BEGIN, END = "<!-- pretrained -->\n", "<!-- end -->"
HEADER = "| name | task | what it does | languages | size | on its test split | terms of the data |"


class Model(Facts):
    """A table of shipped.toml: the facts, and how the model is made.

    needs: the variables that name the data.
    after: another model, whose last run is the $RUN of the first training.
    prepare: a script and its arguments; the last one, $DATA for `train`, is added.
    train: the arguments of `textapps` for each training; the last run is packed. $NAME is a
        variable, $RUN the run that the training before this one made.
    """

    needs: tuple[str, ...] = ()
    after: str | None = None
    prepare: str | None = None
    train: tuple[str, ...] = Field(min_length=1)
    source: str
    weights: Weights = "int8"
    ngrams: int | None = None

    def recipe(self, name: str, before: tuple[str, ...] = ()) -> Recipe:
        """What `pack` needs to know; `before` are the commands of the model that comes before."""
        facts = Facts.model_validate({key: getattr(self, key) for key in Facts.model_fields})
        commands = tuple(f"textapps {line}" for line in self.train)
        if self.prepare is not None:
            commands = (f"python {self.prepare} $DATA", *commands)
        commands = (*before, *commands)
        return Recipe(name, facts, self.source, commands, self.weights, self.ngrams)


def read_table(path: Path = TABLE) -> dict[str, Model]:
    """The models by name."""
    tables = tomllib.loads(path.read_text(encoding="utf-8"))
    return {name: Model.model_validate(table) for name, table in tables.items()}


def made(name: str, table: Mapping[str, Model], work: Path) -> RunDirectory:
    """The last run of a model, trained as far as it is not yet."""
    model, variables = table[name], dict(os.environ)
    if model.after is not None:
        variables["RUN"] = str(made(model.after, table, work).path.absolute())
    if model.prepare is not None:
        variables["DATA"] = str((work / name / f"{name}.tsv.gz").absolute())
        if not Path(variables["DATA"]).exists():
            call([sys.executable, *words_of(model.prepare, variables), variables["DATA"]])
    run: RunDirectory | None = None
    for number, line in enumerate(model.train):
        folder = work / name / str(number)
        run = finished_run(folder)
        if run is None:
            words = resumed(words_of(line, variables), folder)
            call([sys.executable, "-m", "textapps", *words, "--models-dir", str(folder)])
            run = finished_run(folder)
        if run is None:
            raise TextappsError(f"{name}: the training in {folder} has not finished; repeat it")
        variables["RUN"] = str(run.path.absolute())
    assert run is not None
    return run


def words_of(line: str, variables: Mapping[str, str]) -> list[str]:
    """The words of a command with $NAME replaced, as a shell has them.

    Raises:
        ConfigurationError: a variable is not set.
    """
    try:
        return [string.Template(word).substitute(variables) for word in shlex.split(line)]
    except KeyError as error:
        raise ConfigurationError(f"name the data by the variable {error.args[0]}") from None


def runs_in(folder: Path) -> list[RunDirectory]:
    """All runs of a folder, whatever their task."""
    return RunDirectory.all(folder)


def finished_run(folder: Path) -> RunDirectory | None:
    """The finished run of a folder, None if there is none."""
    return next((run for run in runs_in(folder) if run.finished), None)


def resumed(words: Sequence[str], folder: Path) -> list[str]:
    """The words of a training; those that resume it if it was interrupted."""
    begun = runs_in(folder)
    return [*words[:2], "--resume", str(begun[-1].path)] if begun else list(words)


def call(words: Sequence[str]) -> None:
    """Runs a command that it prints; CalledProcessError if it fails."""
    print("$", shlex.join(words), flush=True)
    subprocess.run(words, check=True)


def packed(
    name: str, table: Mapping[str, Model], run: RunDirectory, target: Path
) -> PretrainedModel:
    """The packed model, verified; says its size."""
    model = table[name]
    before = () if model.after is None else table[model.after].recipe(model.after).commands
    found = pack(get_task(run.task), run, model.recipe(name, before), target)
    print(f"{found.path}: {found.bytes / 1e6:.2f} MB", flush=True)
    return found


def page_of(text: str, models: Sequence[PretrainedModel]) -> str:
    """The text of docs/pretrained.md with the table of these models."""
    head = text.partition(BEGIN)[0]
    lines = [HEADER, "|" + "---|" * HEADER.count(" | ") + "---|"]
    for model in models:
        known = model.description
        figures = known.figures.metrics
        figure = get_about(known.task).figures[0]
        ends = [figures.get(f"{figure}_{end}") for end in ("low", "high")]
        interval = "" if None in ends else " ({:.4f} to {:.4f})".format(*ends)
        cells = [
            f"`{known.name}`",
            known.task,
            known.title,
            ", ".join(known.languages),
            f"{model.bytes / 1e6:.1f} MB",
            f"{figure} {figures[figure]:.4f}{interval}",
            known.terms,
        ]
        lines.append(f"| {' | '.join(cells)} |")
    table = "\n".join(lines)
    return f"{head}{BEGIN}{table}\n{END}{text.partition(END)[2]}"


def pairs(words: Sequence[str]) -> Iterator[tuple[str, str]]:
    """NAME RUN NAME RUN … in pairs."""
    if len(words) % 2:
        raise ConfigurationError("--pack takes NAME RUN, any number of times")
    return zip(words[::2], words[1::2], strict=True)


def main(arguments: Sequence[str] | None = None) -> int:
    """Makes what the command line names; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else "")
    parser.add_argument("names", nargs="*", metavar="NAME", help="models to make, by default all")
    parser.add_argument("--pack", nargs="+", default=[], metavar=("NAME", "RUN"))
    parser.add_argument("--work", type=Path, default=HERE / "shipping", help="where runs lie")
    parser.add_argument("--to", type=Path, default=TARGET, help="where packed models go")
    given = parser.parse_args(arguments)
    table = read_table()
    try:
        for name in [*given.names, *given.pack[::2]]:
            if name not in table:
                raise ConfigurationError(unknown("model", name, table))
        for name, run in pairs(given.pack):
            packed(name, table, RunDirectory.open(Path(run)), given.to)
        for name in given.names or ([] if given.pack else table):
            missing = [variable for variable in table[name].needs if not os.environ.get(variable)]
            if missing and name not in given.names:
                print(f"{name} is left out: {', '.join(missing)} not given", flush=True)
                continue
            packed(name, table, made(name, table, given.work), given.to)
        if given.to == TARGET:
            os.environ[store.STORE_VARIABLE] = str(TARGET)
            PAGE.write_text(page_of(PAGE.read_text("utf-8"), store.models()), "utf-8")
    except (TextappsError, subprocess.CalledProcessError) as error:
        print(f"error: {error}", file=sys.stderr)
        return getattr(error, "exit_code", 1)
    return 0


if __name__ == "__main__":
    sys.exit(main())
