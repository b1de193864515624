"""Finding sets that TensorFlow Datasets has prepared on this machine."""

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from textapps.core.errors import DataError

_NAME = re.compile(r"(?P<set>[A-Za-z_]\w*)(/(?P<config>[\w.+-]+))?(:(?P<version>\d+\.\d+\.\d+))?")


class Prepared(NamedTuple):
    """A prepared set: `imdb_reviews`, `plain_text` (or ""), `1.0.0`, and its directory."""

    name: str
    config: str
    version: str
    directory: Path

    def __str__(self) -> str:
        return f"{self.name}/{self.config}" if self.config else self.name


def default_data_dir() -> Path:
    """TFDS_DATA_DIR, else the default of TensorFlow Datasets."""
    return Path(os.environ.get("TFDS_DATA_DIR") or "~/tensorflow_datasets").expanduser()


def is_set_name(name: str) -> bool:
    """Whether a name has the form of a set of TensorFlow Datasets.

    >>> [is_set_name(name) for name in ("pets", "glue/sst2:1.0.0", "pets.csv", "my pets")]
    [True, True, False, False]
    """
    return _NAME.fullmatch(name) is not None


def prepared_sets(data_dir: Path) -> Iterator[Prepared]:
    """All sets prepared in `data_dir`, versions in ascending order."""
    for folder in sorted(data_dir.iterdir()) if data_dir.is_dir() else []:
        if folder.is_dir():
            yield from prepared_in(folder)


def prepared_in(folder: Path) -> list[Prepared]:
    """All configurations and versions of the set in `folder`."""
    found = []
    for depth in ("*/dataset_info.json", "*/*/dataset_info.json"):
        for info in folder.glob(depth):
            config, version = info.parent.relative_to(folder).parent, info.parent.name
            if re.fullmatch(r"\d+\.\d+\.\d+", version):
                name = "" if config == Path() else config.name
                found.append(Prepared(folder.absolute().name, name, version, info.parent))
    return sorted(found, key=lambda one: (one.config, [int(n) for n in one.version.split(".")]))


def find_prepared(name: str, data_dir: Path) -> Prepared | None:
    """The prepared set `name`, `name/config` or `name[/config]:version`; default: the newest.

    None if there is none; DataError if there are several configurations and `name` has none.
    """
    match = _NAME.fullmatch(name)
    if match is None:
        return None
    found = [
        one
        for one in prepared_in(data_dir / match["set"])
        if match["config"] in (None, one.config) and match["version"] in (None, one.version)
    ]
    if len({one.config for one in found}) > 1:
        choices = ", ".join(sorted({str(one) for one in found}))
        raise DataError(f"{name} has several configurations in {data_dir}, name one of {choices}")
    return found[-1] if found else None
