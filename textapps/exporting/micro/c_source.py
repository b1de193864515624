"""Numbers, texts and files as C99."""

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import ArrayLike

WIDTH = 100


def c_array(kind: str, name: str, values: Iterable[str], size: str = "") -> str:
    """An array of constants.

    >>> print(c_array("static const short", "first_bin", ["1", "2"], "BANDS"))
    static const short first_bin[BANDS] = {
      1, 2,
    };
    """
    lines, line = [], " "
    for value in values:
        if len(line) + len(value) + 2 > WIDTH:
            lines.append(line)
            line = " "
        line += f" {value},"
    return "\n".join([f"{kind} {name}[{size}] = {{", *lines, line, "};"])


def c_floats(values: ArrayLike) -> list[str]:
    """Each number with as many digits as a float32 needs.

    >>> c_floats([0.1, 2, -1e-6])
    ['0.1f', '2.0f', '-1e-06f']
    """
    return [f"{value!s}f" for value in np.asarray(values, np.float32)]


def c_text(text: str) -> str:
    """A string literal in UTF-8.

    >>> print(c_text('größer, "down"'))
    "gr\\303\\266\\303\\237er, \\"down\\""
    """
    plain = {ord("\\"): "\\\\", ord('"'): '\\"'}
    bytes_ = text.encode()
    return (
        '"' + "".join(plain.get(b, chr(b) if 32 <= b < 127 else f"\\{b:03o}") for b in bytes_) + '"'
    )


def c_file(name: str, content: bytes, header: str) -> str:
    """A file as an array of bytes `name`, and its size `name`_size.

    LiteRT reads numbers of up to 8 bytes in place, and needs 16 for vectors.
    """
    values: Sequence[str] = [f"0x{byte:02x}" for byte in content]
    array = c_array("const unsigned char", name, values)
    return (
        f'#include "{header}"\n\n'
        "#if defined(__GNUC__)\n__attribute__((aligned(16)))\n#endif\n"
        f"{array}\nconst unsigned int {name}_size = {len(content)};\n"
    )
