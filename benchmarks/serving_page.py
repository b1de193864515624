"""The section of docs/results.md on serving; benchmarks/results_page.py puts it there."""

from collections.abc import Callable, Iterable, Sequence

from benchmarks.results import read_result

Table = Callable[[Sequence[str], Iterable[Sequence[str]]], str]

ABSENT = "not measured"


def sections(table: Table) -> Iterable[str]:
    """Markdown paragraphs; `table` renders a heading and rows."""
    yield "## Serving"
    yield from _throughput(table)
    yield _soak()
    yield _swap()


def _throughput(table: Table) -> Iterable[str]:
    result = read_result("serving")
    yield (
        "`textapps serve` and a plain FastAPI endpoint (`benchmarks/plain_endpoint.py`) answer "
        "the same texts from the same small classifier, in turn, both without an access log. The "
        "plain one calls the model for each request: in FastAPI's threads, or one at a time in "
        "the event loop. Clients are in a process of their own on the same cores; each waits for "
        "its answer before it asks again. At half of that load requests arrive at random, and "
        "time counts from the arrival. Every answer was compared with that to the text alone."
    )
    if result is None:
        yield f"Requests a second: {ABSENT}."
        return
    sides = next(iter(result["texts"].values()))["sides"]
    plain = [side for side in sides if side != "textapps"]
    heading = [
        "texts of",
        *(f"{side}, requests/s" for side in sides),
        *(f"times {side}" for side in plain),
        "99 % answered at half load within, ms",
    ]
    rows = [
        (
            label,
            *(f"{figures['sides'][side]['median_per_second']:,.0f}" for side in sides),
            *(f"{figures['times_as_many'][side]:.1f}" for side in plain),
            f"{figures['at_half_load']['median_p99_ms']:.1f}",
        )
        for label, figures in result["texts"].items()
    ]
    yield f"{result['model']}, {result['connections']} connections:"
    yield table(heading, rows)
    served = ", ".join(result["models_served"])
    yield (
        f"With four small models ({served}) it is ready {result['median_seconds_to_ready']:.1f} s "
        f"after the start of its process, and idle it holds {result['idle_memory_mb']:,.0f} MB."
    )


def _soak() -> str:
    result = read_result("serving-soak")
    if result is None:
        return f"Load for long: {ABSENT}."
    return (
        f"Load for {result['seconds'] / 60:.0f} minutes, all four models, texts of 1 to 1,500 "
        f"words, 1 to 150 in a request, and bad requests among them: {result['requests']:,} "
        f"requests, {result['wrong']} answers other than expected, {_server_errors(result)} of "
        "status 500 or above or without an answer; the most memory after the first tenth was "
        f"{100 * result['memory_growth']:+.1f} % beside the most in it."
    )


def _swap() -> str:
    result = read_result("serving-swap")
    if result is None:
        return f"New versions under load: {ABSENT}."
    return (
        f"New versions every {result['seconds_between_versions']:.0f} s for "
        f"{result['seconds']:.0f} s under load: {result['versions_published']} versions, "
        f"{result['requests']:,} requests, {result['wrong']} failed or wrong."
    )


def _server_errors(result: dict[str, dict[str, int]]) -> int:
    return sum(count for code, count in result["statuses"].items() if not 100 <= int(code) < 500)
