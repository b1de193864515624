"""WAV files in the graph, against soundfile, by hand, and whatever bytes there are."""

import io
import struct

import numpy as np
import pytest
import soundfile
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.preprocessing.wav_files import chunk, extensible, layout, riff, wav
from textapps.preprocessing.riff import parse_wav

GRAPH = tf.function(parse_wav, input_signature=[tf.TensorSpec([], tf.string)])
VALUES = np.array([0, 1, -1, 300, -32_768, 32_767, 12_345], np.int16)


def parsed(content):
    waveform, rate, error = GRAPH(content)
    assert (waveform.dtype, rate.dtype, waveform.shape.rank) == (tf.float32, tf.int32, 1)
    assert np.abs(waveform).max(initial=0) <= 1  # which NaN is not
    error = error.numpy().decode()
    assert bool(error) == (len(waveform) == 0) == (int(rate) == 0)
    return waveform.numpy(), int(rate), error


def good(content):
    waveform, rate, error = parsed(content)
    assert error == ""
    return waveform, rate


def sound(samples, channels, seed=3):
    return np.random.default_rng(seed).uniform(-1, 0.99, (samples, channels)).astype("float32")


@pytest.mark.parametrize("form", ["WAV", "WAVEX", "RF64"])
@pytest.mark.parametrize(
    "subtype", ["PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE", "ULAW", "ALAW"]
)
@pytest.mark.parametrize(("channels", "rate"), [(1, 16_000), (2, 44_100), (5, 4_000)])
def test_equals_soundfile(form, subtype, channels, rate):
    file = io.BytesIO()
    soundfile.write(file, sound(731, channels), rate, subtype, format=form)
    file.seek(0)
    expected, _ = soundfile.read(file, dtype="float32", always_2d=True)
    waveform, found = good(file.getvalue())
    assert found == rate
    np.testing.assert_allclose(waveform, expected.mean(axis=1), atol=2e-7)


@pytest.mark.parametrize("subtype", ["ULAW", "ALAW"])
def test_every_byte_of_a_law_equals_soundfile(subtype):
    file = io.BytesIO()
    soundfile.write(file, np.zeros(256), 8_000, subtype, format="WAV")
    content = file.getvalue()
    content = content[: content.index(b"data") + 8] + bytes(range(256))
    expected, _ = soundfile.read(io.BytesIO(content), dtype="float32")
    np.testing.assert_array_equal(good(content)[0], expected)


def test_rf64_takes_the_sizes_of_its_first_chunk():
    data = chunk(b"data", VALUES.tobytes(), 0xFFFFFFFF)
    after = chunk(b"LIST", b"no samples")
    fields = chunk(b"fmt ", layout()), data, after
    size = 4 + 36 + sum(map(len, fields))
    ds64 = chunk(b"ds64", struct.pack("<QQQI", size, 2 * len(VALUES), len(VALUES), 0))
    content = riff(ds64, *fields, size=0xFFFFFFFF).replace(b"RIFF", b"RF64")
    assert len(content) == size + 8
    np.testing.assert_array_equal(good(content)[0], VALUES / np.float32(2**15))
    assert parsed(content[:-6])[2] == "cut off, 5 bytes are missing; record it again"


def test_sixteen_bits_are_exact():
    np.testing.assert_array_equal(good(wav(VALUES))[0], VALUES / np.float32(2**15))


def test_a_sample_of_fewer_bits_than_its_bytes_lies_in_the_upper_ones():
    value = 0x123450
    content = chunk(b"data", struct.pack("<I", value << 8))
    waveform, _ = good(riff(chunk(b"fmt ", layout(bits=20, sample_bytes=4)), content))
    assert waveform.tolist() == [value / 2**23]
    content = chunk(b"data", struct.pack("<I", value)[:3])
    assert good(riff(chunk(b"fmt ", layout(bits=20)), content))[0].tolist() == [value / 2**23]


@pytest.mark.parametrize("rate", [4_000, 192_000])
def test_the_channels_are_averaged_and_every_rate_is_taken(rate):
    content = wav([[300, 100], [-7, -9]], channels=2, rate=rate)
    waveform, found = good(content)
    assert (waveform * 2**15).tolist() == [200, -8]
    assert found == rate


@pytest.mark.parametrize(
    ("riff_size", "data_size"),
    [(0xFFFFFFFF, 0xFFFFFFFF), (0, 0), (36, 0), (0xFFFFFFFF, 0), (0, 0x7FFFF000)],
)
def test_a_header_written_before_the_length_was_known(riff_size, data_size):
    data = chunk(b"data", VALUES.tobytes(), data_size)
    content = riff(chunk(b"fmt ", layout()), data, size=riff_size)
    assert len(good(content)[0]) == len(VALUES)


def test_no_samples_before_another_chunk_are_no_samples():
    content = riff(chunk(b"fmt ", layout()), chunk(b"data", b""), chunk(b"LIST", b"abcdef"))
    assert parsed(content)[2] == "empty, it has 0 samples; record it again"


@given(cut=st.integers(0, 58))
def test_a_truncated_file_is_refused(cut):
    content = wav(VALUES)
    waveform, _, error = parsed(content[: len(content) - cut])
    if cut < 2:  # the padding byte is often omitted
        assert len(waveform) == len(VALUES) - cut
    elif cut <= len(content) - 12:
        assert error == f"cut off, {cut - 1} bytes are missing; record it again"
    else:
        assert error


def test_chunks_before_between_and_after_are_passed_over():
    content = riff(
        chunk(b"LIST", b"odd"),
        chunk(b"fmt ", layout(extension=b"\0\0")),
        chunk(b"fact", b"\1\2\3\4"),
        chunk(b"data", VALUES.tobytes()),
        chunk(b"LIST", b"abc"),
    )
    assert len(good(content)[0]) == len(VALUES)
    assert len(good(content[:-1])[0]) == len(VALUES)  # the odd one at the end without its padding
    late = riff(chunk(b"data", VALUES.tobytes()), chunk(b"fmt ", extensible()))
    assert len(good(late)[0]) == len(VALUES)


def test_half_a_frame_at_the_end_is_left_out():
    content = riff(chunk(b"fmt ", layout(channels=2)), chunk(b"data", VALUES.tobytes()))
    assert len(good(content)[0]) == 3


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "the file is empty"),
        (b"yes, this is text named .wav", "no audio that can be read"),
        (b"RIFF\0\0\0\0AVI LIST", "no audio that can be read"),
        (b"RIFF", "no audio that can be read"),
        (riff(size=0), "no complete 'fmt ' chunk"),
        (riff(chunk(b"data", b"\0\0")), "no complete 'fmt ' chunk"),
        (riff(chunk(b"fmt ", layout()[:14]), chunk(b"data", b"\0\0")), "no complete 'fmt ' chunk"),
        (riff(chunk(b"fmt ", layout()[:10], size=16)), "no complete 'fmt ' chunk"),
        (riff(chunk(b"fmt ", layout())), "no 'data' chunk"),
        (wav([]), "0 samples"),
        (wav(VALUES, channels=0), "no channels"),
        (wav(VALUES, channels=65_535), "0 samples"),
        (wav(VALUES, encoding=85, bits=0), "encoding 85 with 0 bits is not supported"),
        (wav(VALUES, encoding=3, bits=16), "encoding 3 with 16 bits is not supported"),
        (wav(VALUES, encoding=0xFFFE), "encoding 65534 with 16 bits is not supported"),
        (wav(VALUES, rate=3_999), "3999 Hz is not from 4000 to 192000 Hz"),
        (wav(VALUES, rate=2**32 - 1), "4294967295 Hz is not from"),
        (
            riff(
                chunk(b"fmt ", layout(3, bits=32)),
                chunk(b"data", np.float32([0, np.nan]).tobytes()),
            ),
            "NaN or infinite",
        ),
    ],
)
def test_what_is_wrong_is_said(content, message):
    assert message in parsed(content)[2]


def test_floats_beyond_one_are_clipped():
    content = chunk(b"data", np.float32([-3e38, 0.5, 1.5]).tobytes())
    waveform, _ = good(riff(chunk(b"fmt ", layout(3, bits=32)), content))
    assert waveform.tolist() == [-1, 0.5, 1]


def test_a_file_of_many_empty_chunks_is_given_up():
    content = riff(chunk(b"junk", b"") * 5_000, chunk(b"fmt ", layout()))
    assert "no complete 'fmt ' chunk" in parsed(content)[2]


@given(content=st.binary(max_size=200))
def test_no_bytes_raise(content):
    parsed(content)
    parsed(b"RIFF\0\0\0\0WAVE" + content)
    parsed(riff(chunk(b"fmt ", content[:40])) + content[40:])


MUTATED = riff(chunk(b"fmt ", extensible(channels=2)), chunk(b"data", VALUES.tobytes()))


@settings(max_examples=150)
@given(
    changes=st.dictionaries(
        st.integers(0, len(MUTATED) - 1), st.sampled_from([0, 1, 2, 7, 127, 128, 255]), max_size=5
    ),
    cut=st.integers(0, len(MUTATED)),
)
def test_no_mutated_header_raises(changes, cut):
    content = bytearray(MUTATED)
    for place, byte in changes.items():
        content[place] = byte
    parsed(bytes(content))
    parsed(bytes(content[:cut]))
