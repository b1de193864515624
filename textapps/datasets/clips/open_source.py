"""The source of recordings that a name or path stands for."""

from pathlib import Path

from textapps.core.errors import DataError
from textapps.datasets.clips.folder import ClipFolder
from textapps.datasets.clips.sources import ClipSource
from textapps.datasets.clips.synthetic import SyntheticClips
from textapps.datasets.clips.table import ClipTable
from textapps.datasets.clips.tfds import TfdsClips
from textapps.datasets.config import ClipsConfig
from textapps.datasets.prepared import default_data_dir, download, find_prepared
from textapps.datasets.source import Report, stop
from textapps.datasets.tables import table_format
from textapps.datasets.texts.load import no_file


def open_clips(source: str, config: ClipsConfig, report: Report = stop) -> ClipSource:
    """The bundled sample, a folder, a table, or a prepared set, which is downloaded if need be.

    DataError where it is nothing that can be found.
    """
    if source == "sample":
        return SyntheticClips()
    path = Path(source).expanduser()
    if path.is_dir():
        folder = path.absolute()
        if prepared := find_prepared(folder.name, folder.parent):
            return TfdsClips(prepared.directory, str(prepared))
        return ClipFolder(path, report)
    if path.exists():
        return ClipTable(path, report)
    if table_format(path) is not None or source.startswith((".", "/", "~")):
        raise DataError(no_file(path))
    data_dir = Path(config.data_dir).expanduser() if config.data_dir else default_data_dir()
    prepared_set = find_prepared(source, data_dir)
    directory = prepared_set.directory if prepared_set else download(source, data_dir)
    return TfdsClips(directory, source)
