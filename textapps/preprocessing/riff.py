"""Reads WAV files with TensorFlow operations, so that a SavedModel can take their bytes."""

from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from textapps.core.recording_faults import (
    CUT_OFF,
    EMPTY,
    ENCODING,
    HIGHEST_RATE_HZ,
    LOWEST_RATE_HZ,
    NO_CHANNELS,
    NO_DATA,
    NO_LAYOUT,
    NO_SAMPLES,
    NOT_FINITE,
    RATE,
    STREAMED_BYTES,
    UNKNOWN,
)

_CHUNKS = 1_000  # a file of a million empty chunks must not keep a server busy
_PCM, _FLOAT, _A_LAW, _MU_LAW, _EXTENSIBLE = 1, 3, 6, 7, 0xFFFE
_UNKNOWN_SIZE = 0xFFFFFFFF


def parse_wav(content: Any) -> tuple[Any, Any, Any]:
    """The samples of a RIFF/WAVE or RF64 file; it never raises, whatever the bytes.

    It reads 8, 16, 24 and 32-bit PCM, 32 and 64-bit float, A-law and µ-law, also as
    WAVE_FORMAT_EXTENSIBLE, with any number of channels, which are averaged, and rates from 4,000 to
    192,000 Hz. Unknown chunks are skipped. If a streamed recording has no length in its header, all
    samples in the file are used; if the file is shorter than its header says, it is an error.

    Source: Microsoft and IBM 1991, Multimedia Programming Interface and Data Specifications 1.0,
    chapters 2 and 3; Microsoft's documentation of WAVEFORMATEXTENSIBLE; EBU Tech 3306 (RF64);
    ITU-T G.711 (A-law and µ-law).

    Args:
        content: string[].

    Returns:
        float32[samples] in [-1, 1]; int32[], the rate in Hz; string[], empty if the file is valid,
        else the error. After an error there are no samples and the rate is 0.
    """
    raw = tf.io.decode_raw(content, tf.uint8)
    layout, layout_size, data, data_size = _find_chunks(raw)
    found = layout >= 0
    layout = tf.maximum(layout, 0)
    encoding = _number(raw, layout, 2)
    channels = _number(raw, layout + 2, 2)
    rate = _number(raw, layout + 4, 4)
    frame_bytes = _number(raw, layout + 12, 2)
    bits = _number(raw, layout + 14, 2)
    extended = (encoding == _EXTENSIBLE) & (layout_size >= 40)
    encoding = tf.where(extended, _number(raw, layout + 24, 2), encoding)
    # a 20-bit sample is in the upper bits of three or four bytes
    divides = (channels > 0) & (frame_bytes % tf.maximum(channels, 1) == 0) & (frame_bytes > 0)
    sample_bytes = tf.where(divides, frame_bytes // tf.maximum(channels, 1), (bits + 7) // 8)
    decoder = _decoder(encoding, bits, sample_bytes)
    frame_bytes = channels * sample_bytes

    good_layout = found & (layout_size >= 16) & (layout + 16 <= _size(raw))
    readable = good_layout & (data >= 0) & (channels > 0) & (decoder < len(_DECODERS))
    length = _data_length(raw, data, data_size)
    frames = tf.where(readable, length // tf.maximum(frame_bytes, 1), 0)
    samples = raw[tf.maximum(data, 0) : tf.maximum(data, 0) + frames * frame_bytes]
    values = tf.switch_case(
        tf.where(readable, tf.cast(decoder, tf.int32), 0),
        [lambda decode=decode: decode(samples) for decode in _DECODERS],
    )
    finite = tf.reduce_all(tf.math.is_finite(values))

    lacking = _declared_bytes(raw) - 1 - _size(raw)  # the padding byte is often omitted
    error = _first_error(
        (_size(raw) == 0, EMPTY),
        (~_is_wave(raw), UNKNOWN),
        (lacking > 0, filled(CUT_OFF, lacking)),
        (~good_layout, NO_LAYOUT),
        (channels == 0, NO_CHANNELS),
        (decoder >= len(_DECODERS), filled(ENCODING, encoding, bits)),
        (data < 0, NO_DATA),
        ((rate < LOWEST_RATE_HZ) | (rate > HIGHEST_RATE_HZ), filled(RATE, rate)),
        (frames == 0, NO_SAMPLES),
        (~finite, NOT_FINITE),
    )
    good = error == ""
    values = values[: tf.where(good, tf.size(values), 0)]
    values = tf.reshape(values, tf.stack([-1, tf.cast(tf.where(good, channels, 1), tf.int32)]))
    waveform = tf.clip_by_value(tf.reduce_mean(values, axis=1), -1.0, 1.0)
    return waveform, tf.cast(tf.where(good, rate, 0), tf.int32), error


def filled(template: str, *values: Any) -> Any:
    """string[]: a message with numbers or texts in place of its "{}"."""
    parts: list[Any] = [template.split("{}")[0]]
    for value, after in zip(values, template.split("{}")[1:], strict=True):
        parts += [value if value.dtype == tf.string else tf.strings.as_string(value), after]
    return tf.strings.join(parts)


def _find_chunks(raw: Any) -> tuple[Any, Any, Any, Any]:
    """Start, int64[], -1 if missing, and declared size of the 'fmt ' and 'data' contents."""
    total = _size(raw)

    def searching(count: Any, place: Any, layout: Any, _: Any, data: Any, __: Any) -> Any:
        return ((layout < 0) | (data < 0)) & (place + 8 <= total) & (count < _CHUNKS)

    def look(
        count: Any, place: Any, layout: Any, layout_size: Any, data: Any, data_size: Any
    ) -> Any:
        name, size = _number(raw, place, 4), _number(raw, place + 4, 4)
        is_layout = (layout < 0) & (name == _name("fmt "))
        is_data = (data < 0) & (name == _name("data"))
        return (
            count + 1,
            place + 8 + size + size % 2,  # a chunk of odd size is followed by one byte of padding
            tf.where(is_layout, place + 8, layout),
            tf.where(is_layout, size, layout_size),
            tf.where(is_data, place + 8, data),
            tf.where(is_data, size, data_size),
        )

    # without RIFF and WAVE at the start there is nothing to search
    start = tf.where(_is_wave(raw), tf.constant(12, tf.int64), total)
    nowhere, none = tf.constant(-1, tf.int64), tf.constant(0, tf.int64)
    begin = (tf.constant(0), start, nowhere, none, nowhere, none)
    return tf.while_loop(searching, look, begin)[2:]  # type: ignore[no-any-return]


def _data_length(raw: Any, data: Any, size: Any) -> Any:
    """The number of bytes of samples: int64[]."""
    left = tf.maximum(_size(raw) - data, 0)
    # The header was written before the length was known: neither size reaches into the data.
    whole = _number(raw, tf.constant(4, tf.int64), 4)
    unknown = (size == 0) & ((whole + 8 <= data) | (whole == _UNKNOWN_SIZE))
    wide = _number(raw, tf.constant(28, tf.int64), 8)
    size = tf.where(_is_rf64(raw) & (size == _UNKNOWN_SIZE) & (wide > 0), wide, size)
    return tf.where(unknown, left, tf.minimum(size, left))


def _declared_bytes(raw: Any) -> Any:
    """The size of the file by its header, 0 if that is not known: int64[]."""
    size = _number(raw, tf.constant(4, tf.int64), 4)
    known = (size > 0) & (size < STREAMED_BYTES)
    wide = _number(raw, tf.constant(20, tf.int64), 8)
    narrow = tf.where(known, size + 8, tf.zeros_like(size))
    return tf.where(_is_rf64(raw), wide + 8, narrow)


def _decoder(encoding: Any, bits: Any, sample_bytes: Any) -> Any:
    """The index in `_DECODERS` that reads this encoding: int64[]; their number if none does."""
    none = tf.constant(len(_DECODERS), tf.int64)
    fits = (bits >= 1) & (bits <= 8 * sample_bytes)
    whole = tf.where(fits & (sample_bytes <= 4), sample_bytes - 1, none)
    real = tf.where(sample_bytes == 8, tf.constant(5, tf.int64), tf.constant(4, tf.int64))
    exact = (bits == 8 * sample_bytes) & ((sample_bytes == 4) | (sample_bytes == 8))
    law = tf.where(encoding == _MU_LAW, tf.constant(6, tf.int64), tf.constant(7, tf.int64))
    is_law = ((encoding == _MU_LAW) | (encoding == _A_LAW)) & (bits == 8) & (sample_bytes == 1)
    other = tf.where((encoding == _FLOAT) & exact, real, tf.where(is_law, law, none))
    return tf.where(encoding == _PCM, whole, other)


def _unsigned_8(raw: Any) -> Any:
    return (tf.cast(raw, tf.float32) - 128) / 128


def _signed_16(raw: Any) -> Any:
    return tf.cast(tf.bitcast(tf.reshape(raw, [-1, 2]), tf.int16), tf.float32) / 2**15


def _signed_24(raw: Any) -> Any:
    return _signed_32(tf.pad(tf.reshape(raw, [-1, 3]), [[0, 0], [1, 0]]))


def _signed_32(raw: Any) -> Any:
    return tf.cast(tf.bitcast(tf.reshape(raw, [-1, 4]), tf.int32), tf.float32) / 2**31


def _float_32(raw: Any) -> Any:
    return tf.bitcast(tf.reshape(raw, [-1, 4]), tf.float32)


def _float_64(raw: Any) -> Any:
    return tf.cast(tf.bitcast(tf.reshape(raw, [-1, 8]), tf.float64), tf.float32)


def _mu_law(raw: Any) -> Any:
    return tf.gather(mu_law_table(), tf.cast(raw, tf.int32))


def _a_law(raw: Any) -> Any:
    return tf.gather(a_law_table(), tf.cast(raw, tf.int32))


def mu_law_table() -> NDArray[np.float32]:
    """float32[256]: the value of each byte (ITU-T G.711, table 2).

    >>> (mu_law_table()[[0, 126, 127, 128, 255]] * 2**15).tolist()
    [-32124.0, -8.0, 0.0, 32124.0, 0.0]
    """
    bits = 255 - np.arange(256)
    size = ((2 * (bits & 15) + 33) << (bits >> 4 & 7)) - 33
    table: NDArray[np.float32] = (np.where(bits & 128, -4, 4) * size / 2**15).astype(np.float32)
    return table


def a_law_table() -> NDArray[np.float32]:
    """float32[256]: the value of each byte (ITU-T G.711, table 1).

    >>> (a_law_table()[[0, 42, 85, 128, 213]] * 2**15).tolist()
    [-5504.0, -32256.0, -8.0, 5504.0, 8.0]
    """
    bits = np.arange(256) ^ 0x55
    exponent, rest = bits >> 4 & 7, 2 * (bits & 15) + 1
    size = np.where(exponent, (rest + 32) << np.maximum(exponent - 1, 0), rest)
    table: NDArray[np.float32] = (np.where(bits & 128, 8, -8) * size / 2**15).astype(np.float32)
    return table


# uint8[bytes] → float32[values]; integers ordered by their bytes
_DECODERS = (
    _unsigned_8,
    _signed_16,
    _signed_24,
    _signed_32,
    _float_32,
    _float_64,
    _mu_law,
    _a_law,
)


def _is_wave(raw: Any) -> Any:
    zero = tf.constant(0, tf.int64)
    riff = (_number(raw, zero, 4) == _name("RIFF")) | _is_rf64(raw)
    return riff & (_number(raw, zero + 8, 4) == _name("WAVE"))


def _is_rf64(raw: Any) -> Any:
    """Whether the sizes are in a first chunk 'ds64': of the file from byte 20, of data from 28."""
    zero = tf.constant(0, tf.int64)
    return (_number(raw, zero, 4) == _name("RF64")) & (_number(raw, zero + 12, 4) == _name("ds64"))


def _number(raw: Any, place: Any, width: int) -> Any:
    """`width` bytes from int64[] on, little-endian, as int64[]; missing bytes count as 0."""
    piece = tf.cast(raw[place : place + width], tf.int64)
    powers = tf.constant([256**power for power in range(width)], tf.int64)
    return tf.reduce_sum(piece * powers[: tf.size(piece)])


def _name(text: str) -> int:
    return int.from_bytes(text.encode(), "little")


def _size(raw: Any) -> Any:
    return tf.size(raw, tf.int64)


def _first_error(*checks: tuple[Any, Any]) -> Any:
    """The message of the first check that is true: string[]."""
    error = tf.constant("")
    for wrong, message in reversed(checks):
        error = tf.where(wrong, message, error)
    return error
