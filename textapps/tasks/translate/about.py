"""What the command line says of the translate task."""

from textapps.tasks.about import About, Help, Inputs

ABOUT = About(
    group=Help("Translate sentences."),
    train=Help(
        "Train on sentence pairs; prints the run directory.",
        (
            "textapps translate train --data sample --preset tiny",
            "textapps translate train --data pairs.tsv --backbone gru --attention additive",
            "textapps translate train --source-file train.en --target-file train.de",
            "textapps translate train --resume models/translate/20260102-030405-transformer",
        ),
    ),
    search=Help(
        "Find the best configuration in a given time; prints the run directory.\n\n"
        "Trains many configurations a little and the best of them to the end, and writes\n"
        "search.html into the run.",
        (
            "textapps translate search --minutes 30 --data pairs.tsv",
            "textapps translate search --minutes 60 --max-ms 20 --set training.epochs=10..60",
            "textapps translate search --resume",
        ),
    ),
    evaluate=Help(
        "Evaluate a run; writes metrics.json and report.html.",
        (
            "textapps translate evaluate",
            "textapps translate evaluate --data other.tsv --beam 10 --json",
        ),
    ),
    predict=Help(
        "Translate sentences, a line each; with --n-best: number, score and answer, "
        "separated by tabs.",
        (
            'textapps translate predict "A man is sleeping."',
            'textapps translate predict "A man is sleeping." --n-best 3',
            "textapps translate predict --input sentences.txt --json",
            "textapps translate predict --input 'part-*.tsv' --output answers/",
            "cat sentences.txt | textapps translate predict - --beam 1",
        ),
    ),
    export=Help(
        "Write a SavedModel that translates; prints its directory.",
        ("textapps translate export", "textapps translate export --name en-de"),
    ),
    inspect=Help(
        "Show what a run looks at in sentences: writes one HTML file.",
        ('textapps translate inspect "A man is sleeping."',),
    ),
    inputs=Inputs("sentences", "a sentence", "source", 128, "[SENTENCE]..."),
    example="sentence",
    monitor="bleu",
    figures=("bleu", "chrf"),
    decimals=2,
    compared=("bleu", "chrf"),
)
