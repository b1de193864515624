from pathlib import Path

from textapps.datasets.catalogue import TEXTS, WELL_KNOWN, Entry, catalogue


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


def test_well_known_sets_exist() -> None:
    import tensorflow_datasets as tfds

    known = tfds.list_builders(with_community_datasets=False)
    assert set(TEXTS) < set(WELL_KNOWN)
    assert {name.partition("/")[0] for name in WELL_KNOWN} <= set(known)
