"""Finding, and where need be downloading, sets prepared by TensorFlow Datasets."""

import difflib
import http.client
import os
import re
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from textapps.core.errors import DataError

PROBE_SECONDS = 5.0
"""How long to wait for a sign of life before a download; TFDS by itself retries for minutes."""

_NAME = re.compile(r"(?P<set>[A-Za-z_]\w*)(/(?P<config>[\w.+-]+))?(:(?P<version>\d+\.\d+\.\d+))?")


class Prepared(NamedTuple):
    """A prepared set on disk: `imdb_reviews`, `plain_text` (or ""), `1.0.0`, and where it is."""

    name: str
    config: str
    version: str
    directory: Path

    def __str__(self) -> str:
        return f"{self.name}/{self.config}" if self.config else self.name


def default_data_dir() -> Path:
    """TFDS_DATA_DIR, else where TensorFlow Datasets puts its sets by itself."""
    return Path(os.environ.get("TFDS_DATA_DIR") or "~/tensorflow_datasets").expanduser()


def prepared_sets(data_dir: Path) -> Iterator[Prepared]:
    """Every set prepared in `data_dir`, versions in rising order."""
    for folder in sorted(data_dir.iterdir()) if data_dir.is_dir() else []:
        if folder.is_dir():
            yield from prepared_in(folder)


def prepared_in(folder: Path) -> list[Prepared]:
    """The configurations and versions of the set that `folder` is named after."""
    found = []
    for depth in ("*/dataset_info.json", "*/*/dataset_info.json"):
        for info in folder.glob(depth):
            config, version = info.parent.relative_to(folder).parent, info.parent.name
            if re.fullmatch(r"\d+\.\d+\.\d+", version):
                name = "" if config == Path() else config.name
                found.append(Prepared(folder.absolute().name, name, version, info.parent))
    return sorted(found, key=lambda one: (one.config, [int(n) for n in one.version.split(".")]))


def find_prepared(name: str, data_dir: Path) -> Prepared | None:
    """The prepared set `name`, `name/config` or `name[/config]:version`, by default the newest.

    None where there is none; DataError where `name` leaves open which configuration is meant.
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


def download(name: str, data_dir: Path) -> Path:
    """Prepares a set that is not on disk, and returns its directory.

    DataError for a name that TensorFlow Datasets does not know, within 10 s where its source
    cannot be reached, and where downloading or preparing fails.
    """
    import tensorflow_datasets as tfds

    match = _NAME.fullmatch(name)
    known = tfds.list_builders(with_community_datasets=False)
    if match is None or match["set"] not in known:
        near = difflib.get_close_matches(name, [*known, "sample"], n=1)
        hint = f"; did you mean '{near[0]}'?" if near else "; see textapps data list"
        raise DataError(f"'{name}' is no file or folder and no set of TensorFlow Datasets{hint}")
    remedy = (
        f"prepare it on a machine with network (tfds build {name}) and point --data-dir or "
        f"TFDS_DATA_DIR at the copy; {data_dir} does not hold it"
    )
    try:
        # Google's storage of prepared sets is left aside: it would be tried first, for minutes.
        builder = tfds.builder(name, data_dir=data_dir, try_gcs=False)
        url = next(iter(builder.url_infos), "https://storage.googleapis.com")
        if not reachable(url):
            raise DataError(f"{name}: no network ({urlsplit(url).hostname} not reached); {remedy}")
        config = tfds.download.DownloadConfig(try_download_gcs=False)
        builder.download_and_prepare(download_config=config)
    except DataError:
        raise
    except Exception as error:  # TFDS, its builders and its HTTP client raise whatever they like
        cause = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise DataError(f"{name} could not be downloaded ({cause}); {remedy}") from error
    return Path(builder.data_dir)


def reachable(url: str, seconds: float = PROBE_SECONDS) -> bool:
    """Whether the host of `url` answers HTTP within `seconds`, be it to refuse.

    In a thread of its own: no timeout of the standard library covers the look-up of a name.
    """
    parts = urlsplit(url)
    answered = threading.Event()

    def probe() -> None:
        request = urllib.request.Request(f"{parts.scheme}://{parts.netloc}/", method="HEAD")
        try:
            urllib.request.urlopen(request, timeout=seconds).close()
        except urllib.error.HTTPError as error:
            error.close()
            if error.code >= 500:  # what a proxy says for a host that it cannot reach
                return
        except (OSError, ValueError, http.client.HTTPException):
            return
        answered.set()

    thread = threading.Thread(target=probe, daemon=True)
    thread.start()
    thread.join(seconds)
    return answered.is_set()
