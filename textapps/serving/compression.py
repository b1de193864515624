"""Compressed bodies."""

import zlib

from textapps.savedmodel.errors import BadInput
from textapps.serving.exchange import too_long

_GZIP = 16 + zlib.MAX_WBITS


def gunzip(body: bytearray, limit: int) -> bytearray:
    """A body that was compressed by gzip.

    Raises:
        BadInput: it was not, or its end is missing.
        Refusal: 413 if it has more than `limit` bytes; no more than that are made.
    """
    plain = bytearray()
    rest = bytes(body)
    while rest:  # a gzip file may have several members
        member = zlib.decompressobj(_GZIP)
        try:
            plain += member.decompress(rest, limit + 1 - len(plain))
        except zlib.error as error:
            raise BadInput(f"the body cannot be decompressed by gzip: {error}") from None
        if len(plain) > limit:
            raise too_long(limit)
        if not member.eof:
            raise BadInput("the body cannot be decompressed by gzip: its end is missing")
        rest = member.unused_data
    return plain
