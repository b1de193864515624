"""What the command line says of the generate task."""

from textapps.tasks.about import About, Help, Inputs

ABOUT = About(
    group=Help(
        "Continue a text, character by character.\n\n"
        "The options of predict may follow generate directly.",
        (
            "textapps generate train --data sample --preset tiny",
            'textapps generate --seed "ROMEO:"',
        ),
    ),
    train=Help(
        "Train on a text; prints the run directory.",
        (
            "textapps generate train --data sample --preset tiny",
            "textapps generate train --backbone lstm --split 0.9",
            "textapps generate train --data books/ --preset base",
            "textapps generate train --resume models/generate/20260102-030405-gru",
        ),
    ),
    search=Help(
        "Find the best configuration in a given time; prints the run directory.\n\n"
        "Trains many configurations a little and the best of them to the end, and writes\n"
        "search.html into the run.",
        (
            "textapps generate search --minutes 30 --data books/",
            "textapps generate search --minutes 10 --backbone gru --backbone lstm",
            "textapps generate search --minutes 30 --set backbone.units=64..512",
            "textapps generate search --resume",
        ),
    ),
    evaluate=Help(
        "Evaluate a run beside n-grams; writes metrics.json and report.html.",
        (
            "textapps generate evaluate",
            "textapps generate evaluate --data other.txt --json",
        ),
    ),
    predict=Help(
        "Continue texts; a single text is printed while it is generated.\n\n"
        "Without a text to continue, one is begun.",
        (
            'textapps generate predict "ROMEO:" --length 300 --temperature 0.5',
            'textapps generate --seed "ROMEO:" --count 3 --random-seed 7',
            "textapps generate predict --input seeds.txt --json",
            "textapps generate predict --input 'seeds-*.txt.gz' --output answers/",
        ),
    ),
    export=Help(
        "Write a SavedModel that continues texts; prints its directory.",
        ("textapps generate export", "textapps generate export --name shakespeare"),
    ),
    inspect=Help(
        "Show what a run remembers and looks at: writes one HTML file.",
        (
            "textapps generate inspect",
            'textapps generate inspect chapter.txt --property "number=[0-9]+"',
            "textapps generate inspect namaskar --lesson",
        ),
    ),
    inputs=Inputs("texts", "a text to continue", "text", 64, "[SEED]...", optional=True),
    straight="predict",
    example="character",
    monitor="nats_per_character",
    figures=("nats_per_character", "bits_per_character", "perplexity"),
    compared=("nats_per_character",),
)
