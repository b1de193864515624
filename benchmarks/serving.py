"""Loads `textapps serve` on this machine, beside a plain endpoint around the same SavedModel.

    python -m benchmarks.serving [--seconds 10] [--rounds 3]
    python -m benchmarks.serving --soak [--seconds 1200]
    python -m benchmarks.serving --swap [--seconds 120]

Writes docs/results/serving.json: requests a second, time to an answer at half of that load, cold
start and idle memory with four small models. `--soak` loads all models for long, with bad
requests among the good, and writes serving-soak.json; `--swap` publishes a new version every few
seconds meanwhile, and writes serving-swap.json. Every answer is compared with the one that the
server gives to the same text alone. Server and client share the cores.
"""

import argparse
import asyncio
import shutil
from collections.abc import Callable, Coroutine
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks import results_page
from benchmarks.load import Question, Tally, arrive, saturate
from benchmarks.results import read_result, write_result
from benchmarks.served import (
    SIGNATURES,
    Server,
    plain_server,
    prepare,
    publish,
    questions,
    refused,
    textapps_server,
    texts,
)

WORK = Path("models/benchmarks/serving")
CONNECTIONS = 64
WARM_SECONDS = 2.0
LENGTHS = {"20 words": (20,), "200 words": (200,), "5 to 400 words": (5, 20, 60, 100, 200, 400)}
MODEL = "gru"
SWAPPED = ("gru", "lstm")  # one after the other, as versions of one model
OURS = f"/v1/models/{MODEL}:predict"
PLAIN = {"plain, in threads": "/thread", "plain, in the loop": "/loop"}
SECONDS = {"serving": 10.0, "serving-soak": 1200.0, "serving-swap": 120.0}

Figures = dict[str, Any]


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    mode = parser.add_mutually_exclusive_group()
    for name in ("soak", "swap"):
        mode.add_argument(f"--{name}", dest="name", action="store_const", const=f"serving-{name}")
    parser.add_argument("--seconds", type=float, help="of each load (10; soak 1200, swap 120)")
    parser.add_argument("--rounds", type=int, default=3, help="how often each side is loaded (3)")
    parser.add_argument("--swap-seconds", type=float, default=5, help="between versions (5)")
    parser.add_argument("--work", type=Path, default=WORK, help=f"where the models go ({WORK})")
    parser.add_argument("--again", action="store_true", help="measure again")
    options = parser.parse_args(arguments)
    name = options.name or "serving"
    if not options.again and read_result(name):
        print(f"docs/results/{name}.json is there; --again measures again")
        return
    exports = prepare(options.work)
    seconds = options.seconds or SECONDS[name]
    if name == "serving":
        figures = measure(exports, seconds, options.rounds)
    elif name == "serving-soak":
        figures = soak(exports, seconds)
    else:
        figures = swap(exports, options.work / "swapped", seconds, options.swap_seconds)
    print(write_result(name, figures).read_text())
    results_page.write()


def measure(exports: Path, seconds: float, rounds: int) -> Figures:
    """Throughput and latency beside the plain endpoint; cold start and idle memory."""
    starts = []
    for _ in range(rounds + 1):
        with textapps_server(exports) as server:
            starts.append(server.seconds_to_ready)
            memory = server.memory_mb()
    with (
        textapps_server(exports) as ours,
        plain_server(exports / MODEL / "1") as plain,
    ):
        sides = {"textapps": (ours, OURS)} | {k: (plain, path) for k, path in PLAIN.items()}
        loads = {
            label: measure_texts(sides, texts(words, 60), seconds, rounds)
            for label, words in LENGTHS.items()
        }
    return {
        "model": f"sentiment, preset small, {MODEL}",
        "connections": CONNECTIONS,
        "seconds": seconds,
        "rounds": rounds,
        "texts": loads,
        "models_served": sorted(path.name for path in exports.iterdir()),
        "seconds_to_ready": [round(value, 2) for value in starts[1:]],  # the first fills caches
        "median_seconds_to_ready": round(median(starts[1:]), 2),
        "idle_memory_mb": memory,
    }


def measure_texts(
    sides: dict[str, tuple[Server, str]], asked: list[str], seconds: float, rounds: int
) -> Figures:
    """The sides in turn, `rounds` times, after each has been warmed up."""
    asking = {side: questions(server, path, asked) for side, (server, path) in sides.items()}
    tallies: dict[str, list[tuple[Tally, float]]] = {side: [] for side in sides}
    for number in range(rounds + 1):
        for side, (server, _) in sides.items():
            cpu = server.cpu_seconds()
            tally = run(
                saturate(
                    server.port, asking[side], CONNECTIONS, seconds if number else WARM_SECONDS
                )
            )
            if number:
                tallies[side].append((tally, server.cpu_seconds() - cpu))
    ours = sides["textapps"][0]
    rate = median(tally.per_second for tally, _ in tallies["textapps"]) / 2
    half = [
        run(arrive(ours.port, asking["textapps"], CONNECTIONS, rate, seconds, seed))
        for seed in range(rounds)
    ]
    return compare(tallies, half)


def compare(tallies: dict[str, list[tuple[Tally, float]]], half: list[Tally]) -> Figures:
    """Medians over the rounds, and how many times as many requests as each plain side."""
    sides = {
        side: {
            "median_per_second": round(median(tally.per_second for tally, _ in rows), 1),
            "server_cpu_ms": round(1000 * median(cpu / len(tally.taken) for tally, cpu in rows), 3),
            "rounds": [tally.figures() for tally, _ in rows],
        }
        for side, rows in tallies.items()
    }
    ours = sides["textapps"]["median_per_second"]
    return {
        "sides": sides,
        "times_as_many": {
            side: round(ours / figures["median_per_second"], 2)
            for side, figures in sides.items()
            if side != "textapps"
        },
        "at_half_load": {
            "median_p99_ms": round(median(tally.percentile_ms(0.99) for tally in half), 2),
            "rounds": [tally.figures() for tally in half],
        },
    }


def soak(exports: Path, seconds: float) -> Figures:
    """All models, texts of all sizes, one and many in a request, and bad requests."""
    with textapps_server(exports) as server:
        asking: list[Question] = []
        for number, export in enumerate(sorted(exports.iterdir())):
            path = f"/v1/models/{export.name}:predict"
            signature = SIGNATURES.get(export.name)
            # A generator reads characters: what 150 long reviews take is more than the deadline.
            longest = 200 if signature else 1500
            words = [n for n in (1, 5, 20, 60, 100, 200, 400, 1500) if n <= longest]
            asked = texts(words, 40, seed=number)
            for rows in (1, 2, 7):
                asking += questions(server, path, asked, rows, signature)
            asking += questions(server, path, asked[:4], 150 if longest > 200 else 20, signature)
            asking += refused(path)
        memory = [server.memory_mb()]
        work = saturate(server.port, asking, CONNECTIONS // 2, seconds)
        tally = run(beside(work, lambda: memory.append(server.memory_mb()), seconds / 120))
        memory.append(server.memory_mb())
        code = server.stop()
    warm = len(memory) // 10 + 1  # the first tenth is the warm-up
    return {
        "models_served": sorted(path.name for path in exports.iterdir()),
        "connections": CONNECTIONS // 2,
        "seconds": seconds,
        **outcome(tally, code),
        "most_memory_in_warm_up_mb": max(memory[:warm]),
        "most_memory_later_mb": max(memory[warm:]),
        "memory_growth": round(max(memory[warm:]) / max(memory[:warm]) - 1, 4),
        "memory_mb": memory,
    }


def swap(exports: Path, directory: Path, seconds: float, swap_seconds: float) -> Figures:
    """A new version every few seconds, of two models in turn; the last two versions stay."""
    asked = texts((5, 20, 200), 30)
    with textapps_server(exports) as server:
        known = [questions(server, f"/v1/models/{kind}:predict", asked) for kind in SWAPPED]
    answers_of_each = [0, 0]

    def of_either(number: int) -> Callable[[int, bytes], bool]:
        def right(status: int, body: bytes) -> bool:
            found = [questions[number].right(status, body) for questions in known]
            for kind, equal in enumerate(found):
                answers_of_each[kind] += equal
            return any(found)

        return right

    asking = [
        Question("/v1/models/model:predict", question.body, of_either(number))
        for number, question in enumerate(known[0])
    ]
    published = 0

    def next_version() -> None:
        nonlocal published
        publish(exports / SWAPPED[published % 2] / "1", directory / "model" / str(published + 1))
        published += 1
        if published > 2:
            shutil.rmtree(directory / "model" / str(published - 2))

    shutil.rmtree(directory, ignore_errors=True)
    next_version()
    with textapps_server(directory) as server:
        memory = [server.memory_mb()]
        work = saturate(server.port, asking, CONNECTIONS // 4, seconds)
        tally = run(beside(work, next_version, swap_seconds))
        memory.append(server.memory_mb())
        code = server.stop()
    return {
        "connections": CONNECTIONS // 4,
        "seconds": seconds,
        "seconds_between_versions": swap_seconds,
        "versions_published": published,
        "answers_of_each_model": dict(zip(SWAPPED, answers_of_each, strict=True)),
        **outcome(tally, code),
        "memory_before_mb": memory[0],
        "memory_after_mb": memory[1],
    }


def outcome(tally: Tally, exit_code: int) -> Figures:
    """What came of the requests, the first wrong ones word for word; status 0: no answer."""
    return {
        **tally.figures(),
        "statuses": {str(status): tally.statuses[status] for status in sorted(tally.statuses)},
        "first_wrong": tally.wrong[:5],
        "exit_code": exit_code,
    }


async def beside(
    work: Coroutine[Any, Any, Tally], act: Callable[[], object], seconds: float
) -> Tally:
    """The tally of `work`; meanwhile `act` is called every few seconds, in a thread."""
    task = asyncio.ensure_future(work)
    while not task.done():
        await asyncio.wait([task], timeout=seconds)
        if not task.done():
            await asyncio.to_thread(act)
    return task.result()


def run(work: Coroutine[Any, Any, Tally]) -> Tally:
    """Run the client, in uvloop, which takes less of the cores that the server shares."""
    import uvloop

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(work)


if __name__ == "__main__":
    main()
