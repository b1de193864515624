"""WAV files made by hand, byte by byte."""

import struct

import numpy as np


def chunk(name, content, size=None):
    """One chunk, with the byte of padding that an odd size needs."""
    size = len(content) if size is None else size
    return name + struct.pack("<I", size) + content + b"\0" * (len(content) % 2)


def layout(encoding=1, channels=1, rate=16_000, bits=16, sample_bytes=None, extension=b""):
    """The content of a 'fmt ' chunk."""
    frame_bytes = channels * (-(-bits // 8) if sample_bytes is None else sample_bytes)
    fields = (encoding, channels, rate, rate * frame_bytes % 2**32, frame_bytes % 2**16, bits)
    return struct.pack("<HHIIHH", *fields) + extension


def extensible(encoding=1, channels=1, rate=16_000, bits=16):
    """The same in the form of WAVE_FORMAT_EXTENSIBLE."""
    guid = struct.pack("<H", encoding) + bytes.fromhex("000000001000800000aa00389b71")
    extension = struct.pack("<HHI", 22, bits, 0) + guid
    return layout(0xFFFE, channels, rate, bits, extension=extension)


def riff(*chunks, size=None):
    """A file of chunks."""
    content = b"WAVE" + b"".join(chunks)
    return b"RIFF" + struct.pack("<I", len(content) if size is None else size) + content


def wav(values, **options):
    """A file of PCM of 16 bits: int16[samples] or int16[samples, channels]."""
    return riff(
        chunk(b"fmt ", layout(**options)), chunk(b"data", np.asarray(values, "<i2").tobytes())
    )
