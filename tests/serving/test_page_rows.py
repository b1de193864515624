"""Files of rows on the page: what is read, how it is asked, what is given back."""

import csv
import io
import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.serving import browser
from tests.serving.browser import ServedPage, predictions, show
from tests.serving.models import continued

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(browser.CHROMIUM is None, reason="there is no chromium"),
]
expect = sync_api.expect
Page = Any  # of an optional package


def section(panel: Any) -> Any:
    """The opened section of files."""
    found = panel.locator("details.tool", has_text="A file of rows")
    if not found.locator(".drop").is_visible():
        found.locator("summary").click()
    return found


def choose(panel: Any, path: Path, content: str | bytes) -> Any:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    found = section(panel)
    found.locator("input[type=file]").set_input_files(path)
    return found


def download(page: Page, found: Any, name: str) -> str:
    with page.expect_download() as got:
        found.get_by_role("link", name=name).click()
    return Path(got.value.path()).read_bytes().decode()


def test_a_table_is_asked_in_chunks_and_downloaded(
    page: Page, site: ServedPage, tmp_path: Path
) -> None:
    texts = ["=1 good", "bad, bad", "@x\nbad", "-1.5", "فيلم good"] * 40
    file = io.StringIO()
    writer = csv.writer(file)
    writer.writerows([["label", "said"], *[[str(n), text] for n, text in enumerate(texts)]])
    asked = predictions(page)
    panel = show(page, site, "opinions")
    found = choose(panel, tmp_path / "opinions.csv", file.getvalue())
    expect(found.get_by_text("opinions.csv: 200 rows, 2 columns")).to_be_visible()
    found.get_by_label("Column").select_option("said")
    found.get_by_role("button", name="Answer 200 rows").click()
    rows = [dict(row) for row in csv.DictReader(io.StringIO(download(page, found, "Download CSV")))]
    assert [len(request["instances"]) for request in asked] == [64, 64, 64, 8]
    assert [row["text"] for request in asked for row in request["instances"]] == texts
    assert list(rows[0]) == ["label", "said", "answer_label", "probability"]
    assert [row["answer_label"] for row in rows[:3]] == ["good", "bad", "bad"]
    # What a spreadsheet would run is a text there; a number stays one.
    guarded = ["'=1 good", "bad, bad", "'@x\nbad", "-1.5", "فيلم good"] * 40
    assert [row["said"] for row in rows] == guarded
    lines = download(page, found, "Download JSON lines").splitlines()
    assert [json.loads(line)["said"] for line in lines] == texts
    assert json.loads(lines[1])["probability"] == pytest.approx(2 / 3)
    shown = found.get_by_role("row")
    expect(shown).to_have_count(201)
    expect(shown.nth(2)).to_have_text("2bad, badbad0.6667")


@pytest.mark.parametrize(
    ("trained", "columns", "chosen"),
    [
        ("said", {"id": "1", "text": "a", "said": "b"}, "said"),
        ("Said", {"id": "1", "text": "a", "said": "b"}, "said"),
        ("gone", {"id": "1", "review": "a", "seed": "b"}, "seed"),
        (None, {"id": "1", "label": "a long label", "Review": "b"}, "Review"),
        ("", {"id": "12", "said": "what is long", "note": "short"}, "said"),
        (None, {"id": "12", "n": 12345678901234, "said": "long"}, "said"),
        (None, {"id": 1, "n": 2}, "id"),
    ],
)
def test_the_column_of_texts_is_chosen(
    page: Page, site: ServedPage, trained: str | None, columns: dict[str, Any], chosen: str
) -> None:
    page.goto(site.url)
    found = page.evaluate(
        """async ([columns, rows, trained]) => {
            const { likelyColumn } = await import("/page/columns.js");
            return likelyColumn({ columns, rows }, "seed", trained ?? undefined);
        }""",
        [list(columns), [columns, {}], trained],
    )
    assert found == chosen


def test_the_column_of_the_training_data_is_chosen(
    page: Page, site: ServedPage, tmp_path: Path
) -> None:
    panel = show(page, site, "opinions")
    found = choose(panel, tmp_path / "opinions.csv", "id,said,text\n1,good,none\n")
    expect(found.get_by_label("Column")).to_have_value("text")
    described = "**/v1/models/opinions/versions/1/manifest"
    page.route(described, lambda route: route.fulfill(json={"input_column": "said"}))
    page.reload()
    found = choose(panel, tmp_path / "opinions.csv", "id,said,text\n1,good,none\n")
    expect(found.get_by_label("Column")).to_have_value("said")


def test_one_bad_row_costs_the_others_nothing(page: Page, site: ServedPage, tmp_path: Path) -> None:
    panel = show(page, site, "echo")
    found = choose(panel, tmp_path / "lines.txt", "one\n\nbad\r\nfour\n")
    expect(found.get_by_text("lines.txt: 3 rows; 1 empty line left out")).to_be_visible()
    found.get_by_role("button", name="Answer 3 rows").click()
    cells = found.locator("tbody tr")
    expect(cells).to_have_count(3)
    expect(cells.nth(0)).to_have_text("1one3")
    expect(cells.nth(1)).to_contain_text("a bad text")
    expect(cells.nth(2)).to_have_text("3four4")
    expect(found.get_by_text("1 of them refused")).to_be_visible()
    rows = list(csv.DictReader(io.StringIO(download(page, found, "Download CSV"))))
    assert [row["length"] for row in rows] == ["3", "", "4"]
    assert "a bad text" in rows[1]["error"]


def test_json_lines_and_the_options_of_the_form(
    page: Page, site: ServedPage, tmp_path: Path
) -> None:
    asked = predictions(page)
    panel = show(page, site, "tales")
    panel.get_by_label("Length").fill("7")
    lines = "".join(json.dumps({"seed": "a" * n, "n": n}) + "\n" for n in range(1, 10))
    found = choose(panel, tmp_path / "seeds.jsonl", lines)
    expect(found.get_by_label("Column")).to_have_value("seed")
    found.get_by_role("button", name="Answer 9 rows").click()
    expect(found.locator("tbody tr")).to_have_count(9)
    assert [len(request["instances"]) for request in asked] == [8, 1]
    first = asked[0]["instances"][0]
    assert (asked[0]["signature_name"], first["seed"], first["length"]) == ("generate", "a", 7)


def test_a_stop_text_ends_the_rows_as_it_ends_a_stream(
    page: Page, site: ServedPage, tmp_path: Path
) -> None:
    described = re.compile(r"/v1/models/tales/versions/1/manifest$")
    end = continued("a", 5)[3:]

    def with_stop(route: Any) -> None:
        told = route.fetch().json()
        route.fulfill(json={**told, "decoding": {**told["decoding"], "stop": end}})

    page.route(described, with_stop)
    asked = predictions(page)
    panel = show(page, site, "tales")
    found = choose(panel, tmp_path / "seeds.jsonl", json.dumps({"seed": "a"}))
    found.get_by_role("button", name="Answer 1 row").click()
    expect(found.locator("tbody tr")).to_have_count(1)
    (line,) = download(page, found, "Download JSON lines").splitlines()
    whole = continued("a", 50, asked[0]["instances"][0]["random_seed"])
    assert json.loads(line)["text"] == whole.partition(end)[0] != whole


def test_a_busy_server_is_waited_for_and_a_lost_one_said(
    page: Page, site: ServedPage, tmp_path: Path
) -> None:
    panel = show(page, site, "opinions")
    tries = 0

    def busy_once(route: Any) -> None:
        nonlocal tries
        tries += 1
        if tries == 1:
            route.fulfill(status=503, json={"error": "full"})
        else:
            route.continue_()

    page.route("**:predict", busy_once)
    found = choose(panel, tmp_path / "lines.txt", "good\n")
    found.get_by_role("button", name="Answer 1 row").click()
    expect(found.locator("tbody tr")).to_have_text("1goodgood0.6667")
    assert tries == 2
    page.route("**:predict", lambda route: route.abort())
    found.get_by_role("button", name="Answer 1 row").click()
    expect(found.get_by_role("alert")).to_contain_text("The server does not respond")


def test_asking_can_be_stopped(page: Page, site: ServedPage, tmp_path: Path) -> None:
    panel = show(page, site, "opinions")
    waiting: list[Any] = []
    page.route("**:predict", lambda route: waiting.append(route))
    found = choose(panel, tmp_path / "lines.txt", "good\n" * 100)
    found.get_by_role("button", name="Answer 100 rows").click()
    found.get_by_role("button", name="Stop").click()
    expect(found.get_by_text("0 of 100 rows in")).to_be_visible()
    expect(found.get_by_role("button", name="Answer 100 rows")).to_be_enabled()
    expect(found.get_by_role("link")).to_have_count(0)


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.csv", "", "“a.csv” has no rows."),
        ("a.csv", "text\n", "“a.csv” has no rows."),
        ("a.csv", 'text\n"open', "The quotation mark in row 2 is never closed."),
        ("a.csv", "text,n\na,1\nb\n", "Row 3 has 1 cells, the first row 2"),
        ("a.jsonl", '{"text": "a"}\n{', "Line 2 is not JSON"),
        ("a.jsonl", "7\n", "Line 1 is neither an object nor a text."),
        ("a.txt", b"gr\xfc\xdfe\n", "“a.txt” is not UTF-8: save it as UTF-8"),
    ],
)
def test_what_cannot_be_read_is_said_in_words(
    page: Page, site: ServedPage, tmp_path: Path, name: str, content: str | bytes, words: str
) -> None:
    panel = show(page, site, "opinions")
    found = choose(panel, tmp_path / name, content)
    expect(found.get_by_role("alert")).to_contain_text(words)
    expect(found.get_by_role("button", name="Answer")).to_have_count(0)


def test_files_of_many_kinds(page: Page, site: ServedPage, tmp_path: Path) -> None:
    expected = [{"text": "für, alle"}, {"text": "zwei"}]
    given = {
        "semicolons.csv": '\ufefftext\n"für, alle"\nzwei\n'.encode(),
        "wide.txt": "für, alle\r\nzwei".encode("utf-16"),
        "tabs.tsv": "text\tn\nfür, alle\t1\nzwei\t2\n".encode(),
        "list.json": json.dumps(expected, indent=1).encode(),
        "texts.jsonl": '"für, alle"\n\n"zwei"\n'.encode(),
    }
    page.goto(site.url)
    for name, content in given.items():
        rows = page.evaluate(
            """async ([name, bytes]) => {
                const { readTable } = await import("/page/table.js");
                return (await readTable(new File([new Uint8Array(bytes)], name))).rows;
            }""",
            [name, list(content)],
        )
        assert [{"text": row["text"]} for row in rows] == expected, name


CELLS = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=8)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
@given(st.lists(st.lists(CELLS, min_size=2, max_size=2), min_size=1, max_size=5))
def test_csv_is_read_as_python_writes_it(
    page: Page, site: ServedPage, records: list[list[str]]
) -> None:
    if page.url == "about:blank":
        page.goto(site.url)
    file = io.StringIO(newline="")
    csv.writer(file).writerows(records)
    read = page.evaluate(
        """async (text) => (await import("/page/table.js")).csvRecords(text, ",")""",
        file.getvalue(),
    )
    assert read == records


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
@given(st.lists(CELLS.filter(lambda cell: cell[:1] not in tuple("=+-@\t\r\n＝＋－＠")), max_size=5))
def test_python_reads_the_csv_that_is_written(
    page: Page, site: ServedPage, cells: list[str]
) -> None:
    if page.url == "about:blank":
        page.goto(site.url)
    written = page.evaluate(
        """async (cells) => {
            const { csv } = await import("/page/csv.js");
            return csv(["n", "a"], cells.map((a, n) => ({ n, a })));
        }""",
        cells,
    )
    rows = list(csv.reader(io.StringIO(written, newline="")))
    assert rows == [["n", "a"], *[[str(n), cell] for n, cell in enumerate(cells)]]
