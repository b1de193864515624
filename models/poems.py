"""Regular poems out of a table of poems: four or eight lines of five or seven characters.

    python models/poems.py POEMS.tsv.gz OUT.tsv.gz

Others, and poems with gaps, notes or characters outside of the basic block of Chinese characters,
are left out: a small model that has seen regular ones alone writes regular ones.
"""

import csv
import gzip
import re
import sys
from pathlib import Path

LINE = "[\u4e00-\u9fff]{%d}[，。？！；]"
# Some end with their last mark twice.
REGULAR = re.compile(
    "|".join(f"(?:{LINE % n}){{{k}}}[，。？！；]?" for n in (5, 7) for k in (4, 8))
)


def is_regular(text: str) -> bool:
    """Whether a poem has the form.

    >>> is_regular("床前明月光，疑是地上霜。舉頭望明月，低頭思故鄉。"), is_regular("一二三。")
    (True, False)
    """
    return REGULAR.fullmatch(text) is not None


def main(source: Path, target: Path) -> None:
    """Writes the regular poems of a table with the column `text`."""
    with gzip.open(source, "rt", encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        kept = [row for row in rows if is_regular(row["text"])]
        names = list(rows.fieldnames or ())
    target.parent.mkdir(parents=True, exist_ok=True)
    # Without a time in its header the file is the same each time.
    with gzip.GzipFile(target, "wb", mtime=0) as packed:
        for cells in [names, *([row[name] for name in names] for row in kept)]:
            packed.write(("\t".join(cells) + "\n").encode())
    print(f"{target}: {len(kept):,} poems")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
