"""No --help waits for TensorFlow: tests of what the light modules import."""

import ast
import importlib
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import click
import pytest

import textapps
from textapps.cli.main import COMMANDS, application
from textapps.cli.task_group import OWN, TaskGroup
from textapps.core.names import TASKS, TaskName

PACKAGE = Path(textapps.__file__).parent
HEAVY = {"tensorflow", "keras", "tensorflow_datasets", "tensorflow_serving"}
SLOW = {"sklearn", "scipy", "matplotlib", "numpy", "pydantic", "rich"}
CLI = PACKAGE / "cli"
LIGHT = sorted(
    path
    for path in PACKAGE.rglob("*.py")
    if path.name in ("__init__.py", "config.py", "about.py") or CLI in path.parents
)


def imported_at_module_level(tree: ast.Module) -> set[str]:
    """Names of imported top-level packages outside functions and `if TYPE_CHECKING`."""
    names: set[str] = set()
    pending: list[ast.AST] = list(tree.body)
    while pending:
        node = pending.pop()
        if isinstance(node, ast.Import):
            names.update(alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            names.add((node.module or "").partition(".")[0])
        elif isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            pending += node.orelse
        elif not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            pending += ast.iter_child_nodes(node)
    return names


def test_imported_at_module_level_sees_what_it_should() -> None:
    source = (
        "import a.b\nif TYPE_CHECKING:\n  import c\nelse:\n  import d\n"
        "try:\n  from e.f import g\nexcept ImportError: pass\n"
        "class H:\n  import i\n  def j(self):\n    import k\n"
    )
    assert imported_at_module_level(ast.parse(source)) == {"a", "d", "e", "i"}


@pytest.mark.parametrize("path", LIGHT, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_light_modules_name_nothing_heavy(path: Path) -> None:
    names = imported_at_module_level(ast.parse(path.read_text(encoding="utf-8")))
    forbidden = HEAVY | (SLOW if CLI in path.parents or path.name == "about.py" else set())
    assert not names & forbidden


def test_light_modules_reach_nothing_heavy() -> None:
    """One process imports them all, the first that brings something heavy is the one to blame."""
    script = "import importlib, sys\n"
    for path in LIGHT:
        module = ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts)
        module = module.removesuffix(".__init__")
        script += (
            f"importlib.import_module({module!r})\n"
            f"assert not {HEAVY} & set(sys.modules), {module!r}\n"
        )
    assert not modules_after(script) & HEAVY


def paths_of_commands(group: click.Group, *path: str) -> list[tuple[str, ...]]:
    paths = [path]
    ctx = click.Context(group)
    for name in group.list_commands(ctx):
        command = group.get_command(ctx, name)
        if isinstance(command, click.Group):
            paths += paths_of_commands(command, *path, name)
        else:
            paths.append((*path, name))
    return paths


def modules_after_help(paths: Iterable[tuple[str, ...]]) -> set[str]:
    calls = [f"CliRunner().invoke(application, {[*path, '--help']})" for path in paths]
    script = (
        "from click.testing import CliRunner\nfrom textapps.cli.main import application\n"
        f"results = [{', '.join(calls)}]\n"
        "assert all(r.exit_code == 0 and 'Usage:' in r.stdout for r in results), results\n"
    )
    return modules_after(script)


def test_no_help_imports_anything_slow() -> None:
    """But pydantic, whose models the options of a command are made from."""
    paths = paths_of_commands(application)
    assert len(paths) > 4 * len(TASKS) + len(COMMANDS)
    assert not modules_after_help(paths) & ((HEAVY | SLOW) - {"pydantic"})


def test_a_list_of_commands_builds_none_of_them() -> None:
    assert not modules_after_help([(), *((task,) for task in TASKS)]) & (HEAVY | SLOW)


def modules_after(script: str) -> set[str]:
    """Top-level modules that a fresh Python holds after running the script."""
    script += "\nimport sys\nprint('modules:', *{name.partition('.')[0] for name in sys.modules})"
    result = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=60
    )
    assert result.returncode == 0, result.stderr
    return set(result.stdout.rpartition("modules:")[2].split())


@pytest.mark.parametrize("name", COMMANDS)
def test_the_table_of_commands_is_right(name: str) -> None:
    place, line = COMMANDS[name]
    module, _, attribute = place.partition(":")
    command = getattr(importlib.import_module(module), attribute)
    assert command.name == name
    assert line == (command.help or "").strip().splitlines()[0]


@pytest.mark.parametrize(("task", "name"), [(task, name) for task in OWN for name in OWN[task]])
def test_the_lines_of_the_commands_of_one_task_are_right(task: TaskName, name: str) -> None:
    command = TaskGroup(task).get_command(click.Context(application), name)
    assert command is not None
    assert command.name == name
    first = (command.help or "").strip().splitlines()[0]
    assert OWN[task][name].rstrip(".") in first
