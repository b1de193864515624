"""What the command line says of the sentiment task."""

from textapps.tasks.about import About, Help, Inputs

ABOUT = About(
    group=Help("Classify texts by their sentiment."),
    train=Help(
        "Train a classifier; prints the run directory.",
        (
            "textapps sentiment train --data sample --preset tiny",
            "textapps sentiment train --backbone lstm --data reviews.csv --text-column review",
            "textapps sentiment train --resume models/sentiment/20260102-030405-gru",
        ),
    ),
    search=Help(
        "Find the best configuration in a given time; prints the run directory.\n\n"
        "Trains many configurations a little and the best of them to the end, and writes\n"
        "search.html into the run.",
        (
            "textapps sentiment search --minutes 30 --data reviews.csv",
            "textapps sentiment search --minutes 10 --max-size 2MB --backbone gru --backbone lstm",
            "textapps sentiment search --minutes 30 --set training.learning_rate=1e-4..1e-2",
            "textapps sentiment search --resume",
        ),
    ),
    evaluate=Help(
        "Evaluate a run; writes metrics.json and report.html.",
        (
            "textapps sentiment evaluate",
            "textapps sentiment evaluate --data other.csv --json",
        ),
    ),
    predict=Help(
        "Print label and probability of each text, a line each.",
        (
            'textapps sentiment predict "What a film!"',
            "textapps sentiment predict --input reviews.csv --output-format csv",
            "textapps sentiment predict --input reviews.txt --json",
            "textapps sentiment predict --input 'part-*.jsonl.gz' --output answers/",
            "cat reviews.txt | textapps sentiment predict -",
        ),
    ),
    export=Help(
        "Write a SavedModel that takes text and gives labels; prints its directory.",
        ("textapps sentiment export", "textapps sentiment export --name reviews"),
    ),
    inspect=Help(
        "Show what a run looks at in texts: writes one HTML file.",
        ('textapps sentiment inspect "The plot was never dull."',),
    ),
    inputs=Inputs("texts", "a text", "text", 256, "[TEXT]..."),
    example="example",
    monitor="accuracy",
    figures=("accuracy", "macro_f1", "auc", "log_loss", "calibration_error"),
    compared=("accuracy", "macro_f1", "log_loss"),
)
