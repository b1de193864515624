"""Audio files recognised by their first bytes, so that they are not taken for raw samples."""

START_BYTES = 4_096  # at 16 kHz 128 ms, and two frames of any MP3

_MAGIC = {
    b"RIFF": "a WAV file",
    b"RF64": "a WAV file",
    b"riff": "a W64 file",
    b"FORM": "an AIFF file",
    b"fLaC": "FLAC",
    b"OggS": "Ogg",
    b"ID3": "MP3",
    b"caff": "a CAF file",
    b".snd": "an AU file",
    b"#!AMR": "AMR",
    b"\x1aE\xdf\xa3": "Matroska or WebM",
    b"0&\xb2u\x8ef\xcf\x11": "WMA",
}
# MPEG 1, and 2 and 2.5, layer III: kbit/s by index
_KBITS = {
    3: (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    2: (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
_RATES_HZ = {3: (44_100, 48_000, 32_000), 2: (22_050, 24_000, 16_000), 0: (11_025, 12_000, 8_000)}


def audio_kind(start: bytes) -> str:
    """The kind of file, such as "FLAC"; "" if the bytes may be raw samples.

    >>> audio_kind(b"OggS" + bytes(99)), audio_kind(bytes(99))
    ('Ogg', '')
    """
    for magic, kind in _MAGIC.items():
        if start.startswith(magic):
            return kind
    if start[4:8] == b"ftyp":
        return "MP4 or M4A"
    # Two bytes at the start of raw samples may look like a frame; a second frame does not follow.
    for kind, frame_bytes in (("MP3", _mp3_frame_bytes), ("AAC", _aac_frame_bytes)):
        first = frame_bytes(start)
        if first and frame_bytes(start[first:]):
            return kind
    return ""


def _mp3_frame_bytes(start: bytes) -> int:
    """The length of the frame of layer III that begins here; 0 if none does."""
    if len(start) < 4 or start[0] != 0xFF or start[1] & 0xE6 != 0xE2:
        return 0
    version, rate, kbits = start[1] >> 3 & 3, start[2] >> 2 & 3, start[2] >> 4
    if version == 1 or rate == 3 or kbits in (0, 15):
        return 0
    samples = 1_152 if version == 3 else 576
    bits = 1_000 * _KBITS[3 if version == 3 else 2][kbits]
    return samples // 8 * bits // _RATES_HZ[version][rate] + (start[2] >> 1 & 1)


def _aac_frame_bytes(start: bytes) -> int:
    """The length of the ADTS frame that begins here; 0 if none does."""
    if len(start) < 7 or start[0] != 0xFF or start[1] & 0xF6 != 0xF0 or start[2] >> 2 & 15 > 12:
        return 0
    size = (start[3] & 3) << 11 | start[4] << 3 | start[5] >> 5
    return size if size > 7 else 0
