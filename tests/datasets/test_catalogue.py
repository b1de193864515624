from pathlib import Path

from textapps.datasets.catalogue import WELL_KNOWN, Entry, catalogue, task_of
from textapps.datasets.kinds import KINDS


def test_catalogue(write, tmp_path: Path) -> None:
    imdb = write("imdb_reviews/plain_text/1.0.0/dataset_info.json", "{}").parent
    pets = write("pets/small/2.0.0/dataset_info.json", "{}").parent
    entries = {entry.name: entry for entry in catalogue(tmp_path)}
    assert list(entries) == ["sample", *WELL_KNOWN, "pets/small"]
    assert entries["sample"].state == "bundled"
    assert entries["imdb_reviews"][1:3] == ("prepared", "sentiment")
    assert entries["imdb_reviews"].directory == imdb
    assert entries["tiny_shakespeare"][1:3] == ("to download", "generate")
    assert entries["ag_news_subset"].directory is None
    assert entries["pets/small"] == Entry("pets/small", "prepared", "", "", pets)
    assert task_of("ted_hrlr_translate/pt_to_en:1.0.0") == "translate"


def test_well_known_sets_exist() -> None:
    import tensorflow_datasets as tfds

    known = tfds.list_builders(with_community_datasets=False)
    assert {name.partition("/")[0] for name in WELL_KNOWN} <= set(known)
    assert {task for task, _ in WELL_KNOWN.values()} == set(KINDS)
