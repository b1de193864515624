"""What the command line says of the speech task."""

from textapps.tasks.about import About, Help, Inputs

ABOUT = About(
    group=Help("Recognise spoken commands."),
    train=Help(
        "Train a recogniser; prints the run directory.",
        (
            "textapps speech train --data sample --preset tiny",
            "textapps speech train --data clips/ --commands yes,no,left,right",
            "textapps speech train --data clips/ --streaming --backbone lstm",
            "textapps speech train --resume models/speech/20260102-030405-gru",
        ),
    ),
    search=Help(
        "Find the best configuration in a given time; prints the run directory.\n\n"
        "Trains many configurations a little and the best of them to the end, and writes\n"
        "search.html into the run.",
        (
            "textapps speech search --minutes 30 --data clips/ --commands yes,no,left,right",
            "textapps speech search --minutes 10 --max-size 200kB --preset tiny",
            "textapps speech search --resume",
        ),
    ),
    evaluate=Help(
        "Evaluate a run, in noise and in a stream too; writes metrics.json and report.html.",
        (
            "textapps speech evaluate",
            "textapps speech evaluate --data other-clips/ --json",
        ),
    ),
    predict=Help(
        "Print label, probability and path of each recording, a line each; '-' is a recording on "
        "standard input.",
        (
            "textapps speech predict yes.wav left.flac",
            "textapps speech predict clips/ --json --skip-bad",
            "textapps speech predict --input paths.txt",
            "textapps speech predict --input 'clips-*.csv' --output answers/",
            "cat yes.wav | textapps speech predict -",
        ),
    ),
    export=Help(
        "Write a model that takes recordings and gives commands; prints its directory.",
        (
            "textapps speech export",
            "textapps speech export --name commands --format tflite",
        ),
    ),
    inspect=Help(
        "Show what a run looks at in recordings: writes one HTML file.",
        ("textapps speech inspect yes.wav",),
    ),
    inputs=Inputs("files or folders", "a path", "path", 128, "[FILE|FOLDER]...", paths=True),
    example="clip",
    monitor="loss",
    figures=(
        "accuracy",
        "macro_f1",
        "false_accept_rate",
        "false_reject_rate",
        "accuracy_10_db",
        "accuracy_8_khz",
        "accuracy_40_db_quieter",
        "accuracy_reverberation",
        "miss_rate",
        "false_alarms_per_hour",
    ),
    formats=("saved_model", "tflite", "micro"),
    compared=("accuracy", "false_accept_rate", "false_reject_rate"),
)
