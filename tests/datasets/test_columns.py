import pytest

from textapps.core.errors import DataError
from textapps.datasets.columns import Columns, find_columns


def test_usual_names_in_any_case() -> None:
    assert find_columns("a.csv", ["id", "Review", "SENTIMENT"]) == Columns(
        "Review", "SENTIMENT", None, None
    )
    assert find_columns("a.csv", ["class", "sentence", "movie", "Split"]) == Columns(
        "sentence", "class", "movie", "Split"
    )


def test_the_more_usual_name_wins() -> None:
    columns = find_columns("a.csv", ["sentiment", "review", "label", "text"])
    assert (columns.text, columns.label) == ("text", "label")


def test_given_names_come_first() -> None:
    columns = find_columns("a.csv", ["text", "label", "Body", "stars"], "body", "stars")
    assert (columns.text, columns.label) == ("Body", "stars")


def test_missing_columns_are_explained() -> None:
    with pytest.raises(DataError) as caught:
        find_columns("a.csv", ["id", "words", "x" * 31, "label"])
    assert str(caught.value) == (
        f"a.csv: no text column, the columns are id, words, {'x' * 29}…, label; "
        "name it with --text-column"
    )
    with pytest.raises(
        DataError, match=r"no column 'lable', .*--label-column; did you mean 'label'"
    ):
        find_columns("a.csv", ["text", "label"], label="lable")


def test_one_column_cannot_be_both() -> None:
    with pytest.raises(DataError, match="column 'text' cannot be both"):
        find_columns("a.csv", ["text", "label"], label="text")
