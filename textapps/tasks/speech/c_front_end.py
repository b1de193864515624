"""The constants of a log-mel front end as a C header."""

from collections.abc import Sequence
from importlib.resources import files

import numpy as np

from textapps.exporting.micro.c_source import c_array, c_floats, c_text
from textapps.preprocessing.log_mel import FLOOR, FrontEnd

Quantization = tuple[float, int]  # scale, zero point: number = scale · (integer - zero point)


def front_end_source() -> str:
    """The C code of the front end, the same for every model."""
    return files("textapps.tasks.speech").joinpath("front_end.c").read_text(encoding="utf-8")


def front_end_header(
    front_end: FrontEnd,
    labels: Sequence[str],
    inputs: Quantization,
    outputs: Quantization,
    operations: Sequence[str],
) -> str:
    """front_end.h: sizes, tables, and what a program calls.

    Args:
        front_end: of log-mel features, with its normalisation.
        labels: in the order of the scores.
        inputs, outputs: the quantisation of the model's.
        operations: of the model, for a comment.
    """
    audio, weights = front_end.config, front_end.bands.weights
    normalization = front_end.normalization
    assert normalization is not None
    bins = [np.flatnonzero(band) for band in weights.T]
    turns = 2 * np.pi * np.arange(front_end.fft_size // 2) / front_end.fft_size
    sizes = {
        "SAMPLE_RATE_HZ": audio.sample_rate,
        "CLIP_SAMPLES": audio.clip_samples,
        "WINDOW_SAMPLES": audio.window_samples,
        "HOP_SAMPLES": audio.hop_samples,
        "FFT_SIZE": front_end.fft_size,
        "FRAMES": audio.clip_frames,
        "BANDS": audio.mels,
        "LABELS": len(labels),
        "FLOOR": f"{FLOOR!r}f",
        "INPUT_SCALE": c_floats([inputs[0]])[0],
        "INPUT_ZERO_POINT": f"({inputs[1]})",
        "OUTPUT_SCALE": c_floats([outputs[0]])[0],
        "OUTPUT_ZERO_POINT": f"({outputs[1]})",
    }
    constant = "static const float"
    tables = [
        c_array(
            constant, "front_end_window", c_floats(front_end.window), "FRONT_END_WINDOW_SAMPLES"
        ),
        c_array(constant, "front_end_cosines", c_floats(np.cos(turns))),
        c_array(constant, "front_end_sines", c_floats(np.sin(turns))),
        c_array(
            "static const int16_t",
            "front_end_band_first",
            [str(band[0]) for band in bins],
            "FRONT_END_BANDS",
        ),
        c_array(
            "static const int16_t",
            "front_end_band_size",
            [str(band[-1] + 1 - band[0]) for band in bins],
            "FRONT_END_BANDS",
        ),
        c_array(
            constant,
            "front_end_band_weights",
            c_floats(
                np.concatenate(
                    [
                        column[band[0] : band[-1] + 1]
                        for column, band in zip(weights.T, bins, strict=True)
                    ]
                )
            ),
        ),
        c_array(constant, "front_end_mean", c_floats(normalization.mean), "FRONT_END_BANDS"),
        c_array(
            constant,
            "front_end_inverse_deviation",
            c_floats(1 / normalization.deviation),
            "FRONT_END_BANDS",
        ),
    ]
    names = c_array(
        "static const char *const", "front_end_labels", map(c_text, labels), "FRONT_END_LABELS"
    )
    lines = [
        "/* The front end of the model in model_data.c: front_end.c computes it.",
        " *",
        " * The model takes int8[1, FRONT_END_FRAMES, FRONT_END_BANDS] and returns",
        " * int8[1, FRONT_END_LABELS]; a probability is",
        " * FRONT_END_OUTPUT_SCALE * (score - FRONT_END_OUTPUT_ZERO_POINT).",
        f" * Its operations are {', '.join(operations)}.",
        " */",
        "#ifndef FRONT_END_H",
        "#define FRONT_END_H",
        "",
        "#include <stdint.h>",
        "",
        *(f"#define FRONT_END_{name} {value}" for name, value in sizes.items()),
        "",
        "/* FRONT_END_CLIP_SAMPLES samples -> FRONT_END_FRAMES x FRONT_END_BANDS inputs */",
        "void front_end_clip(const int16_t *samples, int8_t *features);",
        "/* FRONT_END_WINDOW_SAMPLES samples -> FRONT_END_BANDS inputs */",
        "void front_end_frame(const int16_t *samples, int8_t *features);",
        "",
        "extern const unsigned char model_data[];",
        "extern const unsigned int model_data_size;",
        "",
        "#ifdef FRONT_END_TABLES",
        *tables,
        "#endif",
        "#ifdef FRONT_END_NAMES",
        names,
        "#endif",
        "",
        "#endif",
    ]
    return "\n".join(lines) + "\n"
