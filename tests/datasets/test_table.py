"""Rows of files and of prepared sets as examples of any kind."""

from pathlib import Path

import pytest

from textapps.core.errors import DataError
from textapps.datasets.source import Defect, Report, stop
from textapps.datasets.table import PreparedSource, TableSource, Wanted
from textapps.datasets.tfds import PreparedSet

Example = tuple[str, ...]


def wanted(report: Report, **columns: str | None) -> Wanted[Example]:
    """Two cells, an optional third, and the place; an "x" is a defect and a blank is nothing."""

    def make(cells: list[str], place: str) -> Example | None:
        if cells[0] == "x":
            report(Defect(place, "an x"))
        return None if cells[0] in ("x", "") else (*cells, place)

    return Wanted(columns or {"text": None, "label": None}, make, optional=("group",))


def source(path: Path, report: Report = stop, **columns: str | None) -> TableSource[Example]:
    return TableSource(path, wanted(report, **columns), report)


def test_cells_come_in_the_order_asked_for(write) -> None:
    path = write("rows.csv", "label,n,Text\ncat,1,purrs\n,2,\ndog,3,barks\n")
    assert source(path).examples(None) == [
        ("purrs", "cat", "", f"{path}:2"),
        ("barks", "dog", "", f"{path}:4"),
    ]
    assert source(path, text="n").examples(None)[1] == ("2", "", f"{path}:3")


def test_a_split_column_in_any_case(write) -> None:
    rows = "purrs,cat,Train,a\nbarks,dog,dev,a\nmeows,cat,training,\n"
    found = source(write("rows.csv", f"text,label,Split,movie\n{rows}"))
    assert found.own_splits == {"train", "validation"}
    assert [row[:3] for row in found.examples("train")] == [
        ("purrs", "cat", "a"),
        ("meows", "cat", ""),
    ]
    assert [row[0] for row in found.examples("validation")] == ["barks"]
    assert found.examples("test") == []


def test_a_column_without_a_name_is_no_group(write) -> None:
    """pandas writes its index so."""
    path = write("rows.csv", ",text,label\n0,purrs,cat\n1,purrs,cat\n")
    assert [row[2] for row in source(path).examples(None)] == ["", ""]


def test_a_row_of_json_may_have_what_the_first_one_lacks(write) -> None:
    rows = ['{"text": "purrs", "label": "cat"}', '{"text": "barks", "label": "dog", "group": 7}']
    path = write("rows.jsonl", "\n".join([*rows, rows[0]]))
    assert [row[2] for row in source(path).examples(None)] == ["", "7", ""]
    path = write("split.jsonl", "\n".join([rows[0], rows[0][:-1] + ', "split": "test"}']))
    message = r"split\.jsonl:2: 'split' in this row, but not in those before it: name the split in"
    with pytest.raises(DataError, match=message):
        source(path).examples(None)


def test_without_a_header_all_rows_have_as_many_cells(write) -> None:
    path = write("rows.csv", "cat,purrs\ndog,barks, loudly\ndog\ndog,howls\n")
    found: list[Defect] = []
    rows = source(path, found.append, text="2", label="1").examples(None)
    assert [row[:2] for row in rows] == [("purrs", "cat"), ("howls", "dog")]
    assert [str(one).removeprefix(f"{path}:") for one in found] == [
        "2: 3 cells in 2 columns",
        "3: 1 cell in 2 columns",
    ]


def test_half_a_surrogate_pair_inside_a_cell(write) -> None:
    rows = [
        '{"label": "cat", "data": {"text": "cut \\ud83d"}}',
        '{"label": "dog", "data": {"text": "w"}}',
    ]
    path = write("rows.jsonl", "\n".join(reversed(rows)))
    found: list[Defect] = []
    examples = source(path, found.append, text="data.text", label=None).examples(None)
    assert [row[0] for row in examples] == ["w"]
    assert found == [(f"{path}:2", "half of a surrogate pair, which is no character")]


def test_what_is_wrong_goes_to_the_report(write) -> None:
    lines = ["text,label,split", "purrs,cat,fold2", "x,cat,train", "meows,cat", "barks,dog,"]
    path = write("rows.csv", "\n".join(lines))
    with pytest.raises(DataError, match=r"rows\.csv:2: unknown split 'fold2', write one of train,"):
        source(path).examples(None)
    found: list[Defect] = []
    assert len(source(path, found.append).examples(None)) == 2
    assert [str(one).removeprefix(f"{path}:") for one in found] == [
        "2: unknown split 'fold2', write one of train, validation, test",
        "3: an x",
        "4: 2 cells in 3 columns",
        "5: unknown split '', write one of train, validation, test",
    ]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("rows.csv", "", "rows.csv: no rows in this file"),
        ("rows.tsv", "text\tlabel\n\n", "rows.tsv: no rows in this file"),
        ("rows.jsonl", "\n", "rows.jsonl: no rows in this file"),
        ("rows.csv", "text,n\na,1\n", "rows.csv: no label column, the columns are text, n"),
        ("rows.txt", "cat\tpurrs\n", r"rows.txt: unknown kind of file, use \.csv"),
    ],
)
def test_files_without_what_is_wanted(write, name: str, content: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        _ = source(write(name, content)).own_splits


def test_a_prepared_set_is_read_by_its_own_keys(prepare, caplog) -> None:
    rows = [("purrs", 0), ("x", 1), ("barks", 1), ("x", 0)]
    found = PreparedSet(prepare("pets", train=rows, extra=[]), "my/pets")
    left_out: list[Defect] = []
    pets = PreparedSource(found, wanted(left_out.append), left_out)
    assert (pets.name, pets.own_splits) == ("my-pets", {"train"})
    for _ in range(2):
        assert pets.examples("train") == [
            ("purrs", "cat", "", "my-pets/train:1"),
            ("barks", "dog", "", "my-pets/train:3"),
        ]
    assert caplog.messages == ["2 rows left out, such as my-pets/train:2: an x"] * 2
    turned = PreparedSource(found, wanted(stop, text="label", label="text"))
    assert turned.examples("train")[0][:2] == ("cat", "purrs")
    with pytest.raises(DataError, match=r"no column 'words', the columns are label, text; name it"):
        PreparedSource(found, wanted(stop, text="words")).examples("train")
