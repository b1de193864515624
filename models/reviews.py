"""Reviews in files of training, validation and test as one table, without a text in two splits.

    python models/reviews.py FOLDER OUT.tsv.gz

FOLDER has chnsenticorp_train.tsv.gz, …_dev.tsv.gz and …_test.tsv.gz, with the columns `label` and
`text`; their labels 1 and 0 become words. A text that stands in training is left out of validation
and test.
"""

import csv
import gzip
import io
import sys
from pathlib import Path

LABELS = {"1": "positive", "0": "negative"}
FILES = {"train": "train", "dev": "validation", "test": "test"}


def main(folder: Path, target: Path) -> None:
    """Writes the table, with the column `split`."""
    lines = io.StringIO()
    writer = csv.writer(lines, delimiter="\t", lineterminator="\n")
    writer.writerow(["label", "text", "split"])
    training: set[str] = set()
    for name, split in FILES.items():
        path = folder / f"chnsenticorp_{name}.tsv.gz"
        with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
        kept = [row for row in rows if row["text"].strip() not in training]
        writer.writerows((LABELS[row["label"]], row["text"], split) for row in kept)
        print(f"{split}: {len(kept):,} of {len(rows):,} reviews")
        if split == "train":
            training = {row["text"].strip() for row in rows}
    target.parent.mkdir(parents=True, exist_ok=True)
    # Without a time in its header the file is the same each time.
    with gzip.GzipFile(target, "wb", mtime=0) as packed:
        packed.write(lines.getvalue().encode())


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
