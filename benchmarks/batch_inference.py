"""How many short texts a second whole files are answered at, beside one call for each text.

    python -m benchmarks.batch_inference [--rows 1000000] [--alone 2000]

A small classifier of the bundled sample is trained and exported first. `textapps sentiment predict
--output` then answers made-up texts of 3 to 30 words in files of 100,000 rows, in a process of its
own, whose memory is measured; its start counts. The same export answers a sample of the rows one
by one in another process, before and after; there the start is left out. Writes
docs/results/batch-inference.json.
"""

import argparse
import gzip
import itertools
import json
import shutil
import sys
import time
from pathlib import Path
from random import Random
from statistics import median
from typing import Any

from benchmarks import child, results_page
from benchmarks.results import read_result, write_result
from benchmarks.served import WORDS

NAME = "batch-inference"
WORK = Path("models/benchmarks/batch-inference")
ROWS_IN_A_FILE = 100_000


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=1_000_000, help="texts to answer (1,000,000)")
    parser.add_argument("--alone", type=int, default=2_000, help="of them one by one (2,000)")
    parser.add_argument("--work", type=Path, default=WORK, help=f"where files go ({WORK})")
    parser.add_argument("--again", action="store_true", help="measure again")
    parser.add_argument("--only-alone", nargs=2, metavar=("EXPORT", "FILE"), help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.only_alone:
        export, file = options.only_alone
        print(json.dumps({"seconds": one_by_one(Path(export), Path(file), options.alone)}))
        return
    if not options.again and read_result(NAME):
        print(f"docs/results/{NAME}.json is there; --again measures again")
        return
    figures = measure(exported(options.work), options.rows, options.alone, options.work)
    print(write_result(NAME, figures).read_text())
    results_page.write()


def exported(work: Path) -> Path:
    """The newest export of the classifier, made if there is none."""
    folder = work / "exported" / "sentiment"
    if not folder.is_dir():
        base = [child.TEXTAPPS, "sentiment"]
        train = ["--data", "sample", "--preset", "small", "--backbone", "gru", "--epochs", "1"]
        child.run([*base, "train", *train, "--models-dir", str(work), "--quiet"])
        child.run([*base, "export", "--models-dir", str(work), "--quiet"])
    return max(folder.iterdir(), key=lambda path: int(path.name))


def write_texts(folder: Path, rows: int, seed: int = 0) -> list[Path]:
    """Files of made-up texts, the same each time."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    draw = Random(seed)
    words = WORDS.split()
    files = []
    for number, start in enumerate(range(0, rows, ROWS_IN_A_FILE)):
        files.append(folder / f"part-{number:05}.jsonl.gz")
        with gzip.open(files[-1], "wt", compresslevel=1, encoding="utf-8") as file:
            for _ in range(min(ROWS_IN_A_FILE, rows - start)):
                text = " ".join(draw.choices(words, k=draw.randint(3, 30)))
                file.write(json.dumps({"text": text}) + "\n")
    return files


def measure(export: Path, rows: int, alone: int, work: Path) -> dict[str, Any]:
    """Rows a second of both ways; that of whole files counts the start of its process too."""
    alone = min(alone, rows)
    files = write_texts(work / "texts", rows)
    answers = work / "answers"
    shutil.rmtree(answers, ignore_errors=True)
    single = [alone_seconds(export, files[0], alone)]
    command = [child.TEXTAPPS, "sentiment", "predict", "--quiet", "--model", str(export)]
    places = ["--input", str(files[0].parent / "part-*"), "--output", str(answers)]
    done = child.run([*command, *places])
    single.append(alone_seconds(export, files[0], alone))
    answered = sum(count_lines(path) for path in answers.glob("*.jsonl.gz"))
    if answered != rows:
        raise RuntimeError(f"{answered:,} answers to {rows:,} rows")
    batched_per_second = rows / done.seconds
    alone_per_second = alone / median(single)
    return {
        "model": "sentiment, preset small, gru",
        "rows": rows,
        "words_in_a_text": [3, 30],
        "files": len(files),
        "seconds": round(done.seconds, 1),
        "rows_per_second": round(batched_per_second, 1),
        "peak_memory_mb": done.peak_memory_mb,
        "one_by_one": {
            "rows": alone,
            "seconds": [round(seconds, 2) for seconds in single],
            "rows_per_second": round(alone_per_second, 1),
        },
        "times_one_by_one": round(batched_per_second / alone_per_second, 2),
    }


def alone_seconds(export: Path, file: Path, rows: int) -> float:
    """What `one_by_one` measures, in a process of its own."""
    own = ["-m", "benchmarks.batch_inference", "--alone", str(rows)]
    done = child.run([sys.executable, *own, "--only-alone", str(export), str(file)], quiet=True)
    return float(json.loads(done.stdout)["seconds"])


def one_by_one(export: Path, file: Path, rows: int) -> float:
    """Seconds in which a loop reads, asks and writes each row by itself, start-up left out."""
    import tensorflow as tf

    answer = tf.saved_model.load(str(export)).signatures["serving_default"]
    answer(text=tf.constant(["warm up"]))
    with gzip.open(file, "rt", encoding="utf-8") as lines, gzip.open("/dev/null", "wt") as written:
        start = time.perf_counter()
        for index, line in enumerate(itertools.islice(lines, rows)):
            text = json.loads(line)["text"]
            outputs = answer(text=tf.constant([text]))
            plain = {name: outputs[name].numpy()[0].tolist() for name in ("probability", "scores")}
            label = outputs["label"].numpy()[0].decode()
            fields = {"index": index, "input": text, "label": label, **plain}
            written.write(json.dumps(fields, ensure_ascii=False) + "\n")
        return time.perf_counter() - start


def count_lines(path: Path) -> int:
    with gzip.open(path) as lines:
        return sum(1 for _ in lines)


if __name__ == "__main__":
    main()
