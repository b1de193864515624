"""Compressed bodies."""

import zlib

from textapps.savedmodel.errors import BadInput
from textapps.serving.exchange import too_long

_GZIP = 16 + zlib.MAX_WBITS
_PIECE_BYTES = 65_536
_MOST_MEMBERS = 1_000  # each costs some time, however short it is


def gunzip(body: bytearray, limit: int) -> bytearray:
    """A body that was compressed by gzip.

    Raises:
        BadInput: it was not, its end is missing, or it has more than 1,000 members.
        Refusal: 413 if it has more than `limit` bytes; no more than that are made.
    """
    plain, rest, members = bytearray(), memoryview(bytes(body)), 0
    while rest:  # a gzip file may have several members
        members += 1
        if members > _MOST_MEMBERS:
            raise BadInput(f"the gzip body has more than {_MOST_MEMBERS:,} members")
        member = zlib.decompressobj(_GZIP)
        while rest and not member.eof:
            # In pieces, because each member copies what follows it in its piece.
            piece = rest[:_PIECE_BYTES]
            try:
                plain += member.decompress(piece, limit + 1 - len(plain))
            except zlib.error as error:
                raise BadInput(f"the body cannot be decompressed by gzip: {error}") from None
            if len(plain) > limit:
                raise too_long(limit)
            rest = rest[len(piece) - len(member.unused_data) :]
        if not member.eof:
            raise BadInput("the body cannot be decompressed by gzip: its end is missing")
    return plain
