"""Trains translators and evaluates them on sentences kept apart: BLEU, chrF and what they cost.

    python -m benchmarks.translate --data DIR [--preset base] [--backbone gru lstm]
                                   [--attention none] [--pairs multi30k|tatoeba]
                                   [--way en-es es-en]

DIR holds the pairs as TSV. Multi30k, English to German, is evaluated on the 1,000 sentences of
test_2016_flickr; Tatoeba, English and Spanish in both directions, on 2,000 sentences whose English
and Spanish are both absent from training. Writes docs/results/translate-<preset>-<backbone>.json
for each backbone, with -<attention> behind it if that is not the preset's: by default all four
backbones of the preset `small` for Multi30k, else the preset's own. A figure that is there is not
measured again without --again; a training that was interrupted goes on where it stopped.
"""

import argparse
import json
import shutil
from concurrent.futures import ProcessPoolExecutor
from itertools import product
from multiprocessing import get_context
from pathlib import Path
from typing import Any, get_args

from benchmarks import results_page, tatoeba
from benchmarks.results import read_result, write_result
from benchmarks.results_translate import WAYS
from benchmarks.training import SECTIONS, WORK, facts, train
from textapps.backbones.config import BACKBONES, Attention
from textapps.tasks.translate.config import PRESETS

MULTI30K = {
    "--data": "train.en-de.tsv.gz",
    "--validation-data": "val.en-de.tsv.gz",
    "--test-data": "test_2016_flickr.en-de.tsv.gz",
}


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="the folder of the pairs")
    parser.add_argument("--pairs", choices=("multi30k", "tatoeba"), default="multi30k")
    parser.add_argument("--way", nargs="+", choices=dict(WAYS), help="of tatoeba, by default both")
    parser.add_argument("--preset", choices=list(PRESETS), default="small")
    parser.add_argument("--backbone", nargs="+", choices=BACKBONES, help="one or more")
    parser.add_argument("--attention", nargs="+", choices=get_args(Attention), help="one or more")
    parser.add_argument("--work", type=Path, default=WORK, help=f"where runs go ({WORK})")
    parser.add_argument("--again", action="store_true", help="train and measure again")
    options = parser.parse_args(arguments)
    if options.way and options.pairs != "tatoeba":
        parser.error("--way is of --pairs tatoeba")
    needed = MULTI30K.values() if options.pairs == "multi30k" else [tatoeba.FILE]
    for name in needed:
        if not (options.data / name).is_file():
            parser.error(f"{options.data} has no {name}")
    own = PRESETS.resolve(flags={"preset": options.preset}).backbone
    all_kinds = options.preset == "small" and options.pairs == "multi30k"
    kinds = options.backbone or (BACKBONES if all_kinds else [own.kind])
    for kind, attention in product(kinds, options.attention or [own.attention]):
        changes = {} if attention == own.attention else {"backbone.attention": attention}
        for way, source in sources(options).items():
            name = "-".join(["translate", *way, options.preset, kind, *changes.values()])
            if not options.again and read_result(name):
                print(f"docs/results/{name}.json is there; --again measures again")
                continue
            if options.again:
                shutil.rmtree(options.work / name, ignore_errors=True)
            figures = measure(options.work / name, options.preset, kind, source, changes)
            print(write_result(name, figures).read_text())
            results_page.write()


def sources(options: Any) -> dict[tuple[str, ...], list[str]]:
    """What names of results begin with, and the options of `textapps translate train`."""
    if options.pairs == "multi30k":
        return {
            (): [word for key, name in MULTI30K.items() for word in (key, str(options.data / name))]
        }
    files = tatoeba.prepare(options.data / tatoeba.FILE, options.work / "tatoeba")
    words = [word for key, path in zip(MULTI30K, files, strict=True) for word in (key, str(path))]
    ways = {"en-es": words, "es-en": [*words, "--reverse"]}
    return {(f"tatoeba-{way}",): ways[way] for way in options.way or ways}


def measure(
    work: Path, preset: str, backbone: str, source: list[str], changes: dict[str, str]
) -> dict[str, Any]:
    """Trains, or finds the finished run of an earlier call, and evaluates it."""
    run, cost = train("translate", work, preset, backbone, source, changes)
    # In a process of its own, whose memory is free again when the next training begins.
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        evaluated = pool.submit(evaluate, run.path).result()
    data = json.loads((run.path / "data.json").read_text())
    return {
        **{key: evaluated.pop(key) for key in ("data", "test_examples")},
        **facts(run),
        "attention": run.config["backbone"]["attention"],
        "training_examples": data["train"]["examples"],
        "validation_examples": data["validation"]["examples"],
        **{"parameters": evaluated.pop("parameters")},
        **cost,
        **evaluated,
        "config": {section: run.config[section] for section in (*SECTIONS, "decoding")},
    }


def evaluate(path: Path) -> dict[str, Any]:
    """The figures of a run on its test split: of the search that it has, and of greedy."""
    from textapps.tasks import lifecycle
    from textapps.tasks.translate.task import TASK
    from textapps.training.run_directory import RunDirectory

    translator = lifecycle.load(TASK, RunDirectory.open(path, "translate"))
    evaluation = lifecycle.evaluate(TASK, translator)
    lifecycle.write_report(TASK, translator, evaluation)
    summary = evaluation.summary
    metrics = dict(summary["metrics"])
    metrics.pop("seconds")
    return {
        "data": f"{summary['data']}, {summary['split']} split",
        "test_examples": summary["examples"],
        "parameters": metrics.pop("parameters"),
        "metrics": {key: round(value, 6) for key, value in metrics.items()},
        "signatures": evaluation.scored.signatures,
        "searches": {
            search.name: {
                **{key: round(value, 6) for key, value in search.scored.figures().items()},
                "length_ratio": round(search.scored.length_ratio(), 4),
                "seconds": round(search.seconds, 2),
            }
            for search in evaluation.searches
        },
    }


if __name__ == "__main__":
    main()
