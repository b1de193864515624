"""The JSON object in a request's body, however hostile the body is."""

import json
import re
from typing import Any

from textapps.savedmodel.errors import BadInput

# Each string is matched once, even one that never ends: anything else could be made quadratic.
_STRING = re.compile(rb'"(?:[^"\\]++|\\.)*+"?', re.DOTALL)
# JSON has none of these, and Python only some: a string, or Inf, -Inf and -NaN.
_CONSTANT = re.compile(r'"(?:[^"\\]++|\\.)*+"?|-NaN|Inf(?!inity)', re.DOTALL)
_LARGE = re.compile(rb"(?<![\d.])\d++(?:\.(\d++))?+[eE]\+?0*+(\d{3,}+)|(?<![\d.])\d{309}")
_KNOWN = {"-NaN": "NaN", "Inf": "Infinity"}
_ALL_SQUARE = bytes.maketrans(b"{}", b"[]")
_NO_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class Repeated(dict[str, Any]):
    """An object in which a key is repeated: the first value counts, or the last as in `last`."""

    def __init__(self, pairs: list[tuple[str, Any]]) -> None:
        super().__init__(reversed(pairs))
        self.last = dict(pairs)


def parse_object(body: bytes, max_depth: int) -> dict[str, Any]:
    """The object, as TensorFlow Serving reads it: with NaN, Inf, Infinity, and these negated.

    Raises BadInput where the body is no object, not UTF-8 or nested more than `max_depth` deep.

    >>> parse_object(b'{"instances": [NaN]}', max_depth=2)
    {'instances': [nan]}
    """
    if not body:
        raise BadInput("JSON parse error: the body is empty")
    if body.count(b"[") + body.count(b"{") > max_depth and _is_deeper(body, max_depth):
        raise _too_deep(max_depth)
    try:
        value = _load(body.removeprefix(_BYTE_ORDER_MARK).decode())
    except UnicodeDecodeError as error:
        raise BadInput(f"JSON parse error: byte {error.start} is not UTF-8") from None
    except json.JSONDecodeError as error:
        raise BadInput(f"JSON parse error: {error.msg} at offset {error.pos}") from None
    except RecursionError:  # brackets that nobody closes
        raise _too_deep(max_depth) from None
    except ValueError:  # Python takes so many digits and no more
        raise BadInput("JSON parse error: a number has too many digits") from None
    if not isinstance(value, dict):
        raise BadInput("JSON parse error: the body should be an object")
    return value


def check_exponents(body: bytes) -> None:
    """Refuses numbers as large as TensorFlow Serving does: it looks at exponent and digits.

    It takes 1.8e308, as infinity, and no 1e309. Raises BadInput.
    """
    for number in _LARGE.finditer(_STRING.sub(b"", body)):
        fraction, exponent = number.groups()
        if exponent is None or len(exponent) > 9 or int(exponent) > 308 + len(fraction or b""):
            raise BadInput("JSON parse error: a number is too large")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    return value if len(value) == len(pairs) else Repeated(pairs)


_DECODER = json.JSONDecoder(object_pairs_hook=_object)


def _load(text: str) -> Any:
    try:
        return _DECODER.decode(text)
    except json.JSONDecodeError:
        known = _CONSTANT.sub(lambda found: _KNOWN.get(found[0], found[0]), text)
        if known == text:
            raise
        return _DECODER.decode(known)


def _too_deep(max_depth: int) -> BadInput:
    return BadInput(f"JSON parse error: nested more than {max_depth} deep")


def _is_deeper(body: bytes, max_depth: int) -> bool:
    """Whether well-formed brackets nest deeper; each round takes the innermost level away."""
    brackets = _STRING.sub(b"", body).translate(_ALL_SQUARE, delete=_NO_BRACKETS)
    for _ in range(max_depth):
        outer = brackets.replace(b"[]", b"")
        if len(outer) == len(brackets):
            return False
        brackets = outer
    return bool(brackets)
