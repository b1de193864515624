"""Numbers with the noun that they count."""


def counted(number: int, noun: str) -> str:
    """The number and the noun, in the plural unless the number is 1.

    >>> counted(1, "row"), counted(1200, "row"), counted(2, "class"), counted(0, "query")
    ('1 row', '1,200 rows', '2 classes', '0 queries')
    """
    return f"{number:,} {noun if number == 1 else plural(noun)}"


def plural(noun: str) -> str:
    """The plural of a regular noun, or of a phrase that ends with one.

    >>> plural("bad row"), plural("batch"), plural("day")
    ('bad rows', 'batches', 'days')
    """
    if noun.endswith(("s", "x", "ch", "sh")):
        return f"{noun}es"
    if noun.endswith("y") and noun[-2:-1] not in tuple("aeiou"):
        return f"{noun[:-1]}ies"
    return f"{noun}s"
