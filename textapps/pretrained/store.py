"""Where the pretrained models are, and how one is found by its name."""

import os
from pathlib import Path

from textapps.core.errors import RunError, unknown
from textapps.core.notices import notice
from textapps.pretrained.description import DESCRIPTION, Description
from textapps.pretrained.model import PREFIX, PretrainedModel

STORE_VARIABLE = "TEXTAPPS_PRETRAINED_DIR"
# Which one answers where nothing has been trained.
DEFAULTS = {
    "sentiment": "imdb",
    "generate": "shakespeare",
    "translate": "en-es",
    "speech": "commands",
}


def store_dir() -> Path | None:
    """The folder of TEXTAPPS_PRETRAINED_DIR, else of the package, else of a checkout; or none."""
    if named := os.environ.get(STORE_VARIABLE):
        return Path(named)
    package = Path(__file__).parent
    for folder in (package / "weights", package.parents[1] / "models" / "pretrained"):
        if folder.is_dir():
            return folder
    return None


def names() -> list[str]:
    """The names of the models, those that answer by default first."""
    folder = store_dir()
    if folder is None or not folder.is_dir():
        return []
    found = [path.parent.name for path in folder.glob(f"*/{DESCRIPTION}")]
    first = list(DEFAULTS.values())
    rank = {name: first.index(name) if name in first else len(first) for name in found}
    return sorted(found, key=lambda name: (rank[name], name))


def models(task: str | None = None) -> list[PretrainedModel]:
    """All models, or those of a task, in the order of `names`.

    One whose record is damaged or of a newer format is left out with a notice.
    """
    found = []
    for name in names():
        try:
            model = find(name)
        except RunError as error:
            notice("left out: %s", error)
        else:
            found.append(model)
    return [model for model in found if task in (None, model.description.task)]


def find(name: str) -> PretrainedModel:
    """The model of this name, with or without the prefix `pretrained:`; its files may be damaged.

    Raises:
        RunError: there is none; or its record is missing, damaged or of a newer format.
    """
    name, folder = name.removeprefix(PREFIX), store_dir()
    path = None if folder is None else folder / name
    if name in ("", ".", "..") or "/" in name or path is None or not path.is_dir():
        if not (known := names()):
            why = "this installation has none; install textapps again"
            if os.environ.get(STORE_VARIABLE):
                why = f"{STORE_VARIABLE} names {folder}, which has none"
            raise RunError(f"there is no pretrained model '{name}': {why}")
        raise RunError(unknown("pretrained model", name, known))
    model = PretrainedModel(path, Description.read(path))
    if (own := model.description.name) != name:
        raise RunError(f"{path} holds the pretrained model '{own}': rename the folder to {own}")
    return model


def default_of(task: str) -> PretrainedModel | None:
    """The model that answers where no run of a task is; None if there is none for it.

    Raises:
        RunError: as `find`.
    """
    name, folder = DEFAULTS.get(task), store_dir()
    if name is not None and folder is not None and (folder / name).is_dir():
        return find(name)  # even if it is damaged: no other one takes its place
    return next(iter(models(task)), None)
