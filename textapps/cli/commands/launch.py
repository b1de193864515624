"""`textapps launch`: several training processes on this machine."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from types import FrameType
from typing import IO

import click

from textapps.cli.options import examples, talk_options
from textapps.core.parallel import cores

PROGRAM = (sys.executable, "-m", "textapps")
GRACE_SECONDS = 15.0  # for a worker to end by itself before it is killed
POLL_SECONDS = 0.05


@click.command(
    "launch",
    epilog=examples(
        "textapps launch --workers 2 -- sentiment train --data sample --preset tiny",
        "textapps launch --workers 2 -- sentiment train --resume 20260102-030405-gru",
    ),
)
@click.option(
    "--workers", type=click.IntRange(1, 1024), required=True, help="How many processes to start."
)
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED, metavar="-- COMMAND…")
@talk_options
def launch_command(workers: int, command: tuple[str, ...]) -> None:
    """Train with several processes on this machine.

    Each process gets its TF_CONFIG and a share of the cores. Every line of their logs begins with
    the number of the worker. When one fails, all are stopped, and launch ends with its exit code.
    """
    if command[1:2] != ("train",):
        raise click.UsageError("launch starts trainings: -- TASK train …")
    processes = start(workers, command)
    printers = [
        threading.Thread(target=_print_lines, args=(f"[{index}] ", process.stderr))
        for index, process in enumerate(processes)
    ]
    for printer in printers:
        printer.start()
    with _passing_signals_to(processes):
        code = _first_failure(processes)
        _stop(processes)
    for printer in printers:
        printer.join()
    click.get_current_context().exit(code)


def start(workers: int, command: Sequence[str]) -> list[subprocess.Popen[str]]:
    """Starts the workers, each in a session of its own, so that Ctrl-C reaches it only once."""
    hosts = [f"127.0.0.1:{port}" for port in free_ports(workers)]
    threads = max(1, cores() // workers)
    processes = []
    for index in range(workers):
        task = {"cluster": {"worker": hosts}, "task": {"type": "worker", "index": index}}
        environ = {
            "TF_NUM_INTRAOP_THREADS": str(threads),
            **os.environ,
            "TF_CONFIG": json.dumps(task),
        }
        processes.append(
            subprocess.Popen(
                [*PROGRAM, *command],
                env=environ,
                stdin=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                text=True,
                errors="backslashreplace",
                start_new_session=True,
            )
        )
    return processes


def free_ports(count: int) -> list[int]:
    """Different ports of this machine on which nothing listens."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


def _print_lines(prefix: str, lines: IO[str] | None) -> None:
    assert lines is not None
    with lines:
        for line in lines:
            print(prefix + line.rstrip("\n"), file=sys.stderr, flush=True)


@contextlib.contextmanager
def _passing_signals_to(processes: Sequence[subprocess.Popen[str]]) -> Iterator[None]:
    def pass_on(number: int, _: FrameType | None) -> None:
        for process in processes:
            process.send_signal(number)

    before = {s: signal.signal(s, pass_on) for s in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _first_failure(processes: Sequence[subprocess.Popen[str]]) -> int:
    """The exit code of the first that fails, as a shell reports it; 0 when all have succeeded."""
    while True:
        codes = [process.poll() for process in processes]
        for code in codes:
            if code:
                return 128 - code if code < 0 else code
        if None not in codes:
            return 0
        time.sleep(POLL_SECONDS)


def _stop(processes: Sequence[subprocess.Popen[str]]) -> None:
    """Ends those that still run, and kills what does not end in time."""
    end = time.monotonic() + GRACE_SECONDS
    for process in processes:
        if process.poll() is None:
            process.terminate()
    for process in processes:
        try:
            process.wait(max(0.0, end - time.monotonic()))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
