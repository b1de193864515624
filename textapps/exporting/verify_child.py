"""Examines SavedModels where neither Keras nor a room that makes models can be imported.

Run as a script, `python -I verify_child.py ROOT QUESTIONS ANSWERS`, in a process of its own: ROOT
holds the package textapps, the others are files of JSON. textapps.savedmodel does the work, and
verification.py, in the parent process, compares the outputs.
"""

import gc
import json
import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType

KERAS = ("keras", "tf_keras")
ROOMS = ("core", "savedmodel")


def forbidden(module: str) -> str | None:
    """The package or room of a module that may not be imported here; None for all others."""
    package, _, rest = module.partition(".")
    room = rest.partition(".")[0]
    if package == "textapps" and room and room not in ROOMS:
        return f"{package}.{room}"
    return package if package in KERAS else None


class Guard(MetaPathFinder):
    """Lets no module of the other rooms be found."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Raises ModuleNotFoundError for a forbidden module, and leaves others to other finders."""
        if forbidden(fullname):
            raise ModuleNotFoundError(f"{fullname} may not be imported here", name=fullname)
        return None


def main(root: str, questions: str, answers: str) -> None:
    """Examines the exports of the questions file; whatever fails is part of the answers."""
    # TensorFlow imports Keras wherever it is installed, and does without where a None stands here.
    sys.modules.update(dict.fromkeys(KERAS))  # type: ignore[arg-type]
    sys.meta_path.insert(0, Guard())
    sys.path.insert(0, root)
    from textapps.savedmodel.examination import examine_all

    sys.path.append(sys.path.pop(0))  # `pip install --user` puts TensorFlow beside textapps
    import tensorflow  # noqa: F401

    gc.freeze()  # modules stay: the collector need not look through their objects
    findings = examine_all(json.loads(Path(questions).read_bytes()))
    imported = {forbidden(name) for name, module in sys.modules.items() if module is not None}
    found = {"imported": sorted(filter(None, imported)), "findings": findings}
    Path(answers).write_text(json.dumps(found), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
