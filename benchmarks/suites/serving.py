"""Loads `textapps serve` on this machine, beside a plain endpoint around the same SavedModel.

Every answer is compared with the one that the server gives to the same text alone. Server and
client share the cores.
"""

import shutil
from collections.abc import Mapping, Sequence
from functools import partial
from statistics import median

import uvloop  # takes less of the cores that the server shares than asyncio's loop
from pydantic import Field

from benchmarks.benchmark import Benchmark, Context
from benchmarks.results import Figures
from benchmarks.sides import interleave
from benchmarks.suites import served
from benchmarks.suites.grpc_load import GrpcConnection
from benchmarks.suites.load import Question, Tally, arrive, beside, saturate
from textapps.cli.commands.launch import free_ports

WARM_SECONDS = 2.0
MODEL = "gru"
SWAPPED = ("gru", "lstm")  # one after the other, as versions of one model
OURS = f"/v1/models/{MODEL}:predict"
PLAIN = {"plain, in threads": "/thread", "plain, in the loop": "/loop"}


class Load(Benchmark):
    seconds: float = Field(description="of each load")
    connections: int = Field(description="that ask at the same time")


class Throughput(Load):
    """Requests a second, time to an answer at half of that load, cold start and idle memory."""

    rounds: int = Field(description="how often each side is loaded")
    starts: int = Field(description="cold starts that count")
    intra_op_threads: int = Field(description="option of the server, 0 for its default")
    words: dict[str, tuple[int, ...]]

    def measure(self, context: Context) -> Figures:
        exports = served.prepare(context.work)
        options = ("--intra-op-threads", str(self.intra_op_threads))
        starts = []
        for _ in range(self.starts):
            with served.textapps_server(exports, *options) as server:
                starts.append(server.seconds_to_ready)
        with (
            served.textapps_server(exports, *options) as ours,
            served.plain_server(exports / MODEL / "1") as plain,
        ):
            starts.append(ours.seconds_to_ready)
            memory = ours.memory_mb()
            servers = {"textapps": (ours, OURS)} | {k: (plain, path) for k, path in PLAIN.items()}
            asking = {
                (side, label): served.questions(server, path, served.texts(words, 60))
                for side, (server, path) in servers.items()
                for label, words in self.words.items()
            }

            def load(side: str, label: str, seconds: float = self.seconds) -> Tally:
                server, _ = servers[side]
                return server.loaded(asking[side, label], self.connections, seconds)

            for side, label in asking:
                load(side, label, min(WARM_SECONDS, self.seconds))
            sides = {side: partial(load, side) for side in servers}
            tallies = interleave(sides, list(self.words), self.rounds)
            loads = {}
            for label, found in zip(self.words, tallies, strict=True):
                half = median(tally.per_second for tally in found["textapps"]) / 2
                limits = (self.connections, half, self.seconds)
                at_half = [
                    uvloop.run(arrive(ours.port, asking["textapps", label], *limits, seed))
                    for seed in range(self.rounds)
                ]
                loads[label] = compare(found, at_half)
        counted = starts[1:] or starts  # the first fills caches
        return {
            "model": f"sentiment, preset small, {MODEL}",
            **self.model_dump(include={"connections", "seconds", "rounds", "intra_op_threads"}),
            "texts": loads,
            "models_served": sorted(path.name for path in exports.iterdir()),
            "seconds_to_ready": [round(value, 2) for value in counted],
            "median_seconds_to_ready": round(median(counted), 2),
            "idle_memory_mb": memory,
        }


def compare(sides: Mapping[str, Sequence[Tally]], half: Sequence[Tally]) -> Figures:
    """Medians over the rounds, and how many times as many requests as each plain side."""
    per_second = {side: median(each.per_second for each in rows) for side, rows in sides.items()}
    figures = rates_of(sides)
    ours = per_second.pop("textapps")
    p99_ms = median(tally.percentile_ms(0.99) for tally in half)
    return {
        "sides": figures,
        "times_as_many": {side: round(ours / rate, 2) for side, rate in per_second.items()},
        "at_half_load": {
            "median_p99_ms": round(p99_ms, 2),
            "rounds": [tally.figures() for tally in half],
        },
    }


def rates_of(sides: Mapping[str, Sequence[Tally]]) -> dict[str, Figures]:
    """Of each side the median rate over the rounds, and what a request costs the server."""
    figures: dict[str, Figures] = {}
    for side, rows in sides.items():
        cpu_ms = 1000 * median(each.cpu_seconds / len(each.taken) for each in rows)
        figures[side] = {
            "median_per_second": round(median(each.per_second for each in rows), 1),
            "server_cpu_ms": round(cpu_ms, 3),
            "rounds": [each.figures() for each in rows],
        }
    return figures


class Grpc(Load):
    """Requests a second over gRPC and over HTTP, to one server, in turn."""

    rounds: int = Field(description="how often each side is loaded")
    words: int

    def measure(self, context: Context) -> Figures:
        exports = served.prepare(context.work)
        (port,) = free_ports(1)
        with served.textapps_server(exports, "--grpc-port", str(port)) as server:
            texts = served.texts([self.words], 60)
            over_http = served.questions(server, OURS, texts)
            over_grpc = served.grpc_questions(port, MODEL, texts)

            def load(side: str, seconds: float) -> Tally:
                limits = (self.connections, seconds)
                if side == "REST":
                    return server.costing(saturate(server.port, over_http, *limits))
                return server.costing(saturate(port, over_grpc, *limits, GrpcConnection))

            sides = {side: partial(load, side) for side in ("gRPC", "REST")}
            for warm in sides.values():
                warm(min(WARM_SECONDS, self.seconds))
            (tallies,) = interleave(sides, [self.seconds], self.rounds)
        figures = rates_of(tallies)
        grpc, rest = (figures[side]["median_per_second"] for side in ("gRPC", "REST"))
        return {
            "model": f"sentiment, preset small, {MODEL}",
            **self.model_dump(include={"connections", "seconds", "rounds", "words"}),
            "sides": figures,
            "times_rest": round(grpc / rest, 2),
        }


class Soak(Load):
    """All models, texts of all sizes, one and many in a request, and bad and hostile requests.

    Of the memory, that of the processes that the server starts counts too.
    """

    def measure(self, context: Context) -> Figures:
        exports = served.prepare(context.work)
        with served.textapps_server(exports) as server:
            asking: list[Question] = []
            for number, export in enumerate(sorted(exports.iterdir())):
                path = f"/v1/models/{export.name}:predict"
                signature = served.SIGNATURES.get(export.name)
                # A generator reads characters: 150 long reviews would take more than the deadline.
                longest = 200 if signature else 1500
                words = [n for n in (1, 5, 20, 60, 100, 200, 400, 1500) if n <= longest]
                asked = served.texts(words, 40, seed=number)
                for rows in (1, 2, 7):
                    asking += served.questions(server, path, asked, rows, signature)
                many = 150 if longest > 200 else 20
                asking += served.questions(server, path, asked[:4], many, signature)
                asking += served.refused(path)
            memory = [server.memory_mb()]

            def disturb() -> None:
                served.intrude(server.port, "/v1/models/generator")
                memory.append(server.memory_mb())

            work = saturate(server.port, asking, self.connections, self.seconds)
            tally = uvloop.run(beside(work, disturb, self.seconds / 120))
            memory.append(server.memory_mb())
            code = server.stop()
        warm = len(memory) // 10 + 1  # the first tenth is the warm-up
        return {
            "models_served": sorted(path.name for path in exports.iterdir()),
            **self.model_dump(include={"connections", "seconds"}),
            **outcome(tally, code),
            "most_memory_in_warm_up_mb": max(memory[:warm]),
            "most_memory_later_mb": max(memory[warm:]),
            "memory_growth": round(max(memory[warm:]) / max(memory[:warm]) - 1, 4),
            "memory_mb": memory,
        }


class Swap(Load):
    """A new version every few seconds, of two models in turn; the last two versions stay."""

    swap_seconds: float = Field(description="between versions")

    def measure(self, context: Context) -> Figures:
        exports = served.prepare(context.work)
        directory = context.work / "serving" / "swapped"
        asked = served.texts((5, 20, 200), 30)
        with served.textapps_server(exports) as server:
            known = [
                served.questions(server, f"/v1/models/{kind}:predict", asked) for kind in SWAPPED
            ]
        answers_of_each = [0, 0]

        def right(number: int, status: int, body: bytes) -> bool:
            found = [questions[number].right(status, body) for questions in known]
            for kind, equal in enumerate(found):
                answers_of_each[kind] += equal
            return any(found)

        asking = [
            Question("/v1/models/model:predict", question.body, partial(right, number))
            for number, question in enumerate(known[0])
        ]
        published = 0

        def next_version() -> None:
            nonlocal published
            source = exports / SWAPPED[published % 2] / "1"
            served.publish(source, directory / "model" / str(published + 1))
            published += 1
            if published > 2:
                shutil.rmtree(directory / "model" / str(published - 2))

        shutil.rmtree(directory, ignore_errors=True)
        next_version()
        with served.textapps_server(directory) as server:
            before = server.memory_mb()
            work = saturate(server.port, asking, self.connections, self.seconds)
            tally = uvloop.run(beside(work, next_version, self.swap_seconds))
            after = server.memory_mb()
            code = server.stop()
        return {
            **self.model_dump(include={"connections", "seconds"}),
            "seconds_between_versions": self.swap_seconds,
            "versions_published": published,
            "answers_of_each_model": dict(zip(SWAPPED, answers_of_each, strict=True)),
            **outcome(tally, code),
            "memory_before_mb": before,
            "memory_after_mb": after,
        }


def outcome(tally: Tally, exit_code: int) -> Figures:
    """What came of the requests, the first wrong ones word for word; status 0: no answer."""
    return {
        **tally.figures(),
        "statuses": {str(status): tally.statuses[status] for status in sorted(tally.statuses)},
        "first_wrong": tally.wrong[:5],
        "exit_code": exit_code,
    }
