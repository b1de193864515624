import pytest

from textapps.core.errors import DataError
from textapps.datasets.columns import find_columns

USUAL = {"text": None, "label": None}


@pytest.mark.parametrize(
    ("found", "given", "columns"),
    [
        (["id", "Review", "SENTIMENT"], USUAL, ["Review", "SENTIMENT"]),
        (["sentiment", "review", "label", "text"], USUAL, ["text", "label"]),  # the more usual name
        (["text", "label", "Body", "stars"], {"text": "body", "label": "stars"}, ["Body", "stars"]),
        (["text", "Text"], {"text": "Text"}, ["Text"]),
        (["text", "Text"], {"text": "TEXT"}, ["text"]),
        (["tgt", "Input"], {"source": None, "target": None}, ["Input", "tgt"]),
    ],
)
def test_columns_by_name(
    found: list[str], given: dict[str, str | None], columns: list[str]
) -> None:
    assert find_columns("a.csv", found, given) == columns


@pytest.mark.parametrize(
    ("found", "given", "remedy", "message"),
    [
        (
            ["id", "words", "x" * 31, "label"],
            USUAL,
            "",
            f"no text column, the columns are id, words, {'x' * 29}…, label; name it with "
            "--text-column",
        ),
        (
            ["text", "label"],
            {"label": "lable"},
            "",
            "no column 'lable', the columns are text, label; name it with --label-column; did you "
            "mean 'label'?",
        ),
        (["id"], {"path": None}, "add one", "no path column, the columns are id; add one"),
        (["text"], {**USUAL, "label": "text"}, "", "column 'text' cannot be both text and label"),
    ],
)
def test_missing_columns_are_explained(found, given, remedy: str, message: str) -> None:
    with pytest.raises(DataError) as caught:
        find_columns("a.csv", found, given, remedy)
    assert str(caught.value) == f"a.csv: {message}"
