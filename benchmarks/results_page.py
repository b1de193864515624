"""Renders docs/results.md from docs/results/*.json.

    python -m benchmarks.results_page

The benchmarks do it too, after each figure. Nothing on the page is typed by hand but the figures
of others.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from benchmarks import results, results_generate, results_speech, results_translate, serving_page
from benchmarks.markdown import ABSENT, BACKBONES, Result, preset_name, table, text

# Accuracy on the 25,000 reviews of IMDB's test split, in %; labels of the 25,000 others.
PUBLISHED = (
    ("naive Bayes, uni- and bigrams", "86.59", "no", "[1]"),
    ("SVM, uni- and bigrams", "89.16", "no", "[1]"),
    ("NB-SVM, uni- and bigrams", "91.22", "no", "[1]"),
    ("NB-SVM, uni-, bi- and trigrams", "91.87", "no", "[2]"),
    ("one-hot bidirectional LSTM with pooling", "91.86", "no", "[3]"),
    ("word vectors and bag of words", "88.89", "yes", "[4]"),
    ("one-hot CNN and two LSTM embeddings", "94.06", "yes", "[3]"),
    ("LSTM, virtual adversarial training", "94.09", "yes", "[5]"),
    (
        "two bidirectional LSTMs, 200 words, after one pass and after two",
        "82.69, 84.28",
        "no",
        "[6], as printed there",
    ),
)
SOURCES = """\
1. Wang, Manning: Baselines and bigrams: simple, good sentiment and topic classification. ACL 2012.
2. Mesnil, Mikolov, Ranzato, Bengio: Ensemble of generative and discriminative techniques for \
sentiment analysis of movie reviews. ICLR 2015, workshop. arXiv:1412.5335.
3. Johnson, Zhang: Supervised and semi-supervised text categorization using LSTM for region \
embeddings. ICML 2016. arXiv:1602.02373.
4. Maas, Daly, Pham, Huang, Ng, Potts: Learning word vectors for sentiment analysis. ACL 2011.
5. Miyato, Dai, Goodfellow: Adversarial training methods for semi-supervised text \
classification. ICLR 2017. arXiv:1605.07725.
6. Chollet: Bidirectional LSTM on IMDB. Keras documentation, \
<https://keras.io/examples/nlp/bidirectional_lstm_imdb/>."""


def render() -> str:
    """The page, from whatever results there are."""
    parts = (
        "# Results",
        "Figures of this package, each written by a command that anyone can run again "
        "(`benchmarks/README.md`), beside what others have published. Written by "
        "`python -m benchmarks.results_page` from `docs/results/*.json`, which hold more; "
        f"“{ABSENT}” stands for a file that is not there.",
        *_accuracy(),
        *_comparison(),
        *_cost(),
        *_time_to_accuracy(),
        *results_generate.sections(),
        *results_translate.sections(),
        *results_speech.sections(),
        *serving_page.sections(table),
        *_distributed(),
        *_batch_inference(),
        *_startup(),
        *_provenance(),
        "## Sources",
        SOURCES,
    )
    return "\n\n".join(parts) + "\n"


def write() -> Path:
    """Replaces the page; returns its path."""
    path = results.RESULTS.parent / "results.md"
    path.write_text(render(), encoding="utf-8")
    return path


def networks() -> list[tuple[str, str, Result | None]]:
    """Preset, backbone and result of the networks: those expected, and those there."""
    found = [("small", kind, results.read_result(f"sentiment-small-{kind}")) for kind in BACKBONES]
    base = [("base", kind, results.read_result(f"sentiment-base-{kind}")) for kind in BACKBONES]
    return found + ([row for row in base if row[2]] or [("base", "", None)])


def _accuracy() -> Iterable[str]:
    yield "## Accuracy on IMDB"
    yield (
        "Share of the 25,000 reviews of the test split whose label is found, with its 95 % "
        "interval over the choice of reviews. Networks are trained on nine tenths of the training "
        "split, and the tenth left chooses the weights; NB-SVM is fitted on all of it. Nothing is "
        "chosen on test. What the other figures mean: [evaluation.md](evaluation.md)."
    )
    rows = [
        (preset_name(preset, kind), *_metrics(result), text(result, "parameters", ",.0f"))
        for preset, kind, result in networks()
    ]
    for ngrams in (2, 3):
        name = "nbsvm" if ngrams == 2 else f"nbsvm-{ngrams}grams"
        result = results.read_result(name)
        if result or ngrams == 2:
            label = f"NB-SVM, up to {ngrams} words"
            rows.append((label, *_metrics(result), text(result, "features", ",.0f")))
    heading = ("", "accuracy, %", "AUC", "log-loss", "calibration error", "parameters")
    yield table(heading, rows)
    yield "Published, on the same split; “more” says whether reviews without label are used too:"
    yield table(("", "accuracy, %", "more", "source"), PUBLISHED)


def _comparison() -> Iterable[str]:
    yield "## Against NB-SVM"
    known = {
        result["test_texts_also_in_training"] for _, _, result in networks() if result is not None
    }
    number = ", ".join(f"{count:,}" for count in sorted(known)) or "some"
    yield (
        "Both answer the same reviews; the difference is that of their accuracies, with the 95 % "
        "interval of a paired bootstrap, and p is the share of resamples in which the network was "
        f"no better. Of the test reviews, {number} stand letter for letter in the training split "
        "too: the second half leaves them out."
    )
    heading = ("", "network", "NB-SVM", "difference, points", "p")
    rows = [
        (preset_name(preset, kind), *_difference(result, "against_baseline"))
        for preset, kind, result in networks()
    ]
    rows += [
        (
            preset_name(preset, kind) + ", without those",
            *_difference(result, "against_baseline_without_them"),
        )
        for preset, kind, result in networks()
    ]
    yield table(heading, rows)


def _cost() -> Iterable[str]:
    yield "## What training takes"
    yield (
        "On IMDB. Steps are the time spent in training steps; the whole is the process, with "
        "imports, reading, tokenising, validation and checkpoints; memory is the most that the "
        "process held at a time."
    )
    rows = [
        (
            preset_name(preset, kind),
            text(result, "passes", ".1f"),
            text(result, "training_seconds", ".0f"),
            text(result, "wall_seconds", ".0f"),
            text(result, "peak_memory_mb", ",.0f"),
        )
        for preset, kind, result in networks()
    ]
    nbsvm = results.read_result("nbsvm")
    rows.append(
        (
            "NB-SVM, up to 2 words",
            "",
            text(nbsvm, "fit_seconds", ".0f"),
            "",
            text(nbsvm, "peak_memory_mb", ",.0f"),
        )
    )
    yield table(("", "passes", "steps, s", "whole, s", "peak memory, MB"), rows)


def _time_to_accuracy() -> Iterable[str]:
    result = results.read_result("time-to-accuracy")
    yield "## Time to an accuracy"
    yield (
        "Seconds of training until a validation split, looked at after every 3,200 examples or "
        "so, is answered with the accuracy named. Beside the recipe of the Keras documentation "
        "[6]: 20,000 words, the last 200 of a review, an embedding of 128, two bidirectional "
        "LSTMs of 64, Adam, batches of 32, everything else as Keras has it by default. All sides "
        "train on the same reviews and are validated on the same ones, in processes of their own, "
        "one after the other. Training steps count, with the tracing of the first; imports, "
        "tokenising, validation and checkpoints do not, on any side."
    )
    if result is None:
        yield f"Seconds to 86 %: {ABSENT}."
        return
    target = f"{100 * result['target_validation_accuracy']:.0f} %"
    ratios = result["recipe_takes_times_as_long"]
    sign = "≥ " if result["ratio_is_a_lower_bound"] else ""
    rows = []
    for side, figures in result["sides"].items():
        runs = figures["repeats"]
        each = ", ".join(_reached(run) for run in runs)
        name = preset_name(result["preset"], side) if side in ratios else "Keras's recipe"
        ratio = ratios.get(side)
        times = f"{sign}{ratio:.1f} ×" if ratio else ("" if side not in ratios else "not reached")
        rows.append((name, f"{figures['median_seconds']:.0f}", each, times))
    yield table(
        ("", f"seconds to {target}, median", "each repeat, s", "times as fast as the recipe"), rows
    )


def _reached(run: dict[str, Any]) -> str:
    return f"{run['seconds']:.0f}" + ("" if run["reached"] else " (not reached)")


def _distributed() -> Iterable[str]:
    result = results.read_result("distributed")
    yield "## What distribution costs"
    yield (
        "Examples a second of training by two processes of one core each, which exchange "
        "gradients, beside one process of two cores: the same model, the same batches, asked in "
        "turn; the first steps, in which the graph is traced, are left out."
    )
    if result is None:
        yield f"Examples a second: {ABSENT}."
        return
    rows = [
        (side, f"{figures['median']:,.0f}", ", ".join(f"{r:,.0f}" for r in figures["repeats"]))
        for side, figures in result["examples_per_second"].items()
    ]
    yield (
        f"Sentiment, {preset_name(result['preset'], result['backbone'])}, batches of "
        f"{result['batch_size']}: two processes reach **{result['ratio']:.2f}** times as much as "
        "one."
    )
    yield table(("", "examples/s, median", "each repeat"), rows)


def _batch_inference() -> Iterable[str]:
    result = results.read_result("batch-inference")
    yield "## Batch inference"
    yield (
        "Whole files of texts of 3 to 30 words answered by `predict --output` in one process, "
        "from its start to its end, beside a loop that asks the same export about one text after "
        "the other, its start left out."
    )
    if result is None:
        yield f"Rows a second: {ABSENT}."
        return
    rows = [
        (
            f"{result['rows']:,}",
            f"{result['rows_per_second']:,.0f}",
            f"{result['one_by_one']['rows_per_second']:,.0f}",
            f"{result['times_one_by_one']:.1f}",
            f"{result['peak_memory_mb']:,}",
        )
    ]
    heading = ("rows", "rows/s", "one by one, rows/s", "times one by one", "peak memory, MB")
    yield f"{result['model']}:"
    yield table(heading, rows)


def _startup() -> Iterable[str]:
    result = results.read_result("startup")
    yield "## Start-up"
    yield (
        "Seconds of a whole process, from a cold start with warm disk caches: the median, and in "
        "brackets the least and the most."
    )
    if result is None:
        yield f"Seconds: {ABSENT}."
        return
    rows = [
        (
            f"`{label}`",
            f"{figures['median_seconds']:.2f} "
            f"({figures['least_seconds']:.2f} to {figures['most_seconds']:.2f})",
            text(result["times_import_tensorflow"], label, ".2f", absent=""),
        )
        for label, figures in result["commands"].items()
    ]
    yield table(("", "seconds", "times `import tensorflow`"), rows)


def _provenance() -> Iterable[str]:
    yield "## Where and how they were measured"
    rows = []
    for path in sorted(results.RESULTS.glob("*.json")):
        result = results.read_result(path.stem)
        assert result is not None
        machine = result["machine"]
        cores = f"{machine['cores']} core{'s' if machine['cores'] > 1 else ''}"
        versions = f"TensorFlow {machine['tensorflow']}, Keras {machine['keras']}"
        rows.append(
            (
                f"[{path.stem}](results/{path.name})",
                f"`{result['command']}`",
                f"{cores}, {machine['system']}",
                versions,
                machine["date"],
            )
        )
    yield table(("figure", "command", "machine", "versions", "date"), rows)


def _metrics(result: Result | None) -> tuple[str, ...]:
    if result is None:
        return (ABSENT, "", "", "")
    metrics = result["metrics"]
    low, high = metrics["accuracy_low"], metrics["accuracy_high"]
    accuracy = f"**{_percent(metrics['accuracy'])}** ({_percent(low)} to {_percent(high)})"
    names = (("auc", ".4f"), ("log_loss", ".3f"), ("calibration_error", ".3f"))
    return (accuracy, *(text(metrics, name, form, absent="") for name, form in names))


def _difference(result: Result | None, key: str) -> tuple[str, ...]:
    if result is None:
        return (ABSENT, "", "", "")
    found = result[key]
    points = [f"{100 * found[name]:+.2f}" for name in ("difference", "low", "high")]
    return (
        f"{_percent(found['accuracy'])} %",
        f"{_percent(found['baseline_accuracy'])} %",
        f"{points[0]} ({points[1]} to {points[2]})",
        "< 0.0001" if found["p_value"] < 1e-4 else f"{found['p_value']:.4f}",
    )


def _percent(share: float) -> str:
    return f"{100 * share:.2f}"


if __name__ == "__main__":
    print(write())
