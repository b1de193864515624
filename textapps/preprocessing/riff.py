"""Reads WAV files with TensorFlow operations, so that a SavedModel can take their bytes."""

from typing import Any

import tensorflow as tf

LOWEST_RATE, HIGHEST_RATE = 4_000, 192_000
_RATES = f"from {LOWEST_RATE} to {HIGHEST_RATE} Hz"
_CHUNKS = 1_000  # a file of a million empty chunks must not keep a server busy
_PCM, _FLOAT, _EXTENSIBLE = 1, 3, 0xFFFE
_UNKNOWN_SIZE = 0xFFFFFFFF


def parse_wav(content: Any) -> tuple[Any, Any, Any]:
    """The samples of a RIFF/WAVE file; it never raises, whatever the bytes.

    It reads 8, 16, 24 and 32-bit PCM and 32 and 64-bit float, also as WAVE_FORMAT_EXTENSIBLE, with
    any number of channels, which are averaged, and rates from 4,000 to 192,000 Hz. Unknown chunks
    are skipped. If a streamed recording has no length in its header, or the file ends early, all
    samples in the file are used.

    Source: Microsoft and IBM 1991, Multimedia Programming Interface and Data Specifications 1.0,
    chapters 2 and 3; Microsoft's documentation of WAVEFORMATEXTENSIBLE.

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

    form = tf.strings.join([_text(encoding), " with ", _text(bits), " bits"])
    error = _first_error(
        (_size(raw) == 0, "the file is empty"),
        (~_is_wave(raw), "this is not a WAV file: it does not begin with RIFF and WAVE"),
        (~good_layout, "the WAV file has no complete 'fmt ' chunk"),
        (channels == 0, "the WAV file has no channels"),
        (
            decoder >= len(_DECODERS),
            tf.strings.join(
                ["encoding ", form, " is not supported: save as 16-bit PCM (encoding 1)"]
            ),
        ),
        (
            (rate < LOWEST_RATE) | (rate > HIGHEST_RATE),
            tf.strings.join(["the sample rate of ", _text(rate), " Hz is not ", _RATES]),
        ),
        (data < 0, "the WAV file has no 'data' chunk"),
        (frames == 0, "the WAV file contains no samples"),
        (~finite, "the WAV file contains NaN or infinite samples"),
    )
    good = error == ""
    values = values[: tf.where(good, tf.size(values), 0)]
    values = tf.reshape(values, tf.stack([-1, tf.cast(tf.where(good, channels, 1), tf.int32)]))
    waveform = tf.clip_by_value(tf.reduce_mean(values, axis=1), -1.0, 1.0)
    return waveform, tf.cast(tf.where(good, rate, 0), tf.int32), error


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
    return tf.where(unknown, left, tf.minimum(size, left))


def _decoder(encoding: Any, bits: Any, sample_bytes: Any) -> Any:
    """The index in `_DECODERS` that reads this encoding: int64[]; their number if none does."""
    none = tf.constant(len(_DECODERS), tf.int64)
    fits = (bits >= 1) & (bits <= 8 * sample_bytes)
    whole = tf.where(fits & (sample_bytes <= 4), sample_bytes - 1, none)
    real = tf.where(sample_bytes == 8, tf.constant(5, tf.int64), tf.constant(4, tf.int64))
    exact = (bits == 8 * sample_bytes) & ((sample_bytes == 4) | (sample_bytes == 8))
    return tf.where(encoding == _PCM, whole, tf.where((encoding == _FLOAT) & exact, real, none))


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


# uint8[bytes] → float32[values]; integers ordered by their bytes
_DECODERS = (_unsigned_8, _signed_16, _signed_24, _signed_32, _float_32, _float_64)


def _is_wave(raw: Any) -> Any:
    zero = tf.constant(0, tf.int64)
    riff = _number(raw, zero, 4) == _name("RIFF")
    return riff & (_number(raw, zero + 8, 4) == _name("WAVE"))


def _number(raw: Any, place: Any, width: int) -> Any:
    """`width` bytes from int64[] on, little-endian, as int64[]; missing bytes count as 0."""
    piece = tf.cast(raw[place : place + width], tf.int64)
    powers = tf.constant([256**power for power in range(width)], tf.int64)
    return tf.reduce_sum(piece * powers[: tf.size(piece)])


def _name(text: str) -> int:
    return int.from_bytes(text.encode(), "little")


def _size(raw: Any) -> Any:
    return tf.size(raw, tf.int64)


def _text(number: Any) -> Any:
    return tf.strings.as_string(number)


def _first_error(*checks: tuple[Any, Any]) -> Any:
    """The message of the first check that is true: string[]."""
    error = tf.constant("")
    for wrong, message in reversed(checks):
        error = tf.where(wrong, message, error)
    return error
