"""What the command line says of pre-training."""

from textapps.tasks.about import About, Help, Inputs

_NONE = Help("")

ABOUT = About(
    group=_NONE,
    train=Help(
        "Learn from texts without labels, to start classifiers from; prints the run directory.",
        (
            "textapps sentiment pretrain --data imdb_reviews --data more-reviews.jsonl.gz",
            "textapps sentiment pretrain --data texts.csv --tokens char",
            "textapps sentiment train --init-from models/sentiment-pretrain/20260102-030405-gru",
        ),
    ),
    search=_NONE,
    evaluate=_NONE,
    predict=_NONE,
    export=_NONE,
    inspect=_NONE,
    inputs=Inputs("texts", "a text", "text", 256, "[TEXT]..."),
    example="text",
    figures=("nats_per_token",),
    monitor="nats_per_token",
    formats=(),
)
