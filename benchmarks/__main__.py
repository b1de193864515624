"""The command line of the benchmarks.

python -m benchmarks                     lists them
python -m benchmarks NAME --help         says what the options of one are
python -m benchmarks NAME [options]      measures it and renders docs/results.md
python -m benchmarks page                renders docs/results.md alone
"""

import subprocess
import sys
from collections.abc import Sequence

from benchmarks import page
from benchmarks.benchmark import SUITES, Benchmark, Context, parsed
from benchmarks.results import Results, machine
from textapps.core.errors import TextappsError


def main(words: Sequence[str]) -> None:
    """Runs a command; SystemExit with one line where it fails."""
    if not words or words[0] in ("-h", "--help"):
        print(__doc__)
        for name, table in SUITES.items():
            print(f"{name:<18}{table['question']} ({table['takes']})")
        return
    if words[0] == "page":
        print(page.write(Results()))
        return
    benchmark, context = parsed(words)
    try:
        measure(benchmark, context)
    except (TextappsError, subprocess.CalledProcessError) as error:
        raise SystemExit(f"error: {error}") from error


def measure(benchmark: Benchmark, context: Context) -> None:
    """Measures what is not there yet, and renders the page after each result."""
    results = context.results
    for name, figures in benchmark.measurements(context):
        if not context.again and results.read(name):
            print(f"{results.path(name).name} is there; --again measures again")
            continue
        at = machine()
        print(results.write(name, figures(), context.words, at).read_text(encoding="utf-8"))
        page.write(results)


if __name__ == "__main__":
    main(sys.argv[1:])
