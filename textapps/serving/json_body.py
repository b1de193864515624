"""The JSON object in a request's body, however hostile the body is."""

import json
import re
from typing import Any

from textapps.savedmodel.errors import BadInput

# Each string is matched once, even one that never ends: anything else could be made quadratic.
_STRING = re.compile(rb'"(?:[^"\\]++|\\.)*+"?', re.DOTALL)
_ALL_SQUARE = bytes.maketrans(b"{}", b"[]")
_NO_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


def parse_object(body: bytes, max_depth: int) -> dict[str, Any]:
    """The object; NaN, Infinity and -Infinity are numbers, as TensorFlow Serving has it.

    Raises BadInput where the body is no object, not UTF-8 or nested more than `max_depth` deep.

    >>> parse_object(b'{"instances": [NaN]}', max_depth=2)
    {'instances': [nan]}
    """
    if not body:
        raise BadInput("JSON parse error: the body is empty")
    too_deep = BadInput(f"JSON parse error: nested more than {max_depth} deep")
    if body.count(b"[") + body.count(b"{") > max_depth and _is_deeper(body, max_depth):
        raise too_deep
    try:
        value = json.loads(body.removeprefix(_BYTE_ORDER_MARK).decode())
    except UnicodeDecodeError as error:
        raise BadInput(f"JSON parse error: byte {error.start} is not UTF-8") from None
    except json.JSONDecodeError as error:
        raise BadInput(f"JSON parse error: {error.msg} at offset {error.pos}") from None
    except RecursionError:  # brackets that nobody closes
        raise too_deep from None
    except ValueError:  # Python takes so many digits and no more
        raise BadInput("JSON parse error: a number has too many digits") from None
    if not isinstance(value, dict):
        raise BadInput("JSON parse error: the body should be an object")
    return value


def _is_deeper(body: bytes, max_depth: int) -> bool:
    """Whether well-formed brackets nest deeper; each round takes the innermost level away."""
    brackets = _STRING.sub(b"", body).translate(_ALL_SQUARE, delete=_NO_BRACKETS)
    for _ in range(max_depth):
        outer = brackets.replace(b"[]", b"")
        if len(outer) == len(brackets):
            return False
        brackets = outer
    return bool(brackets)
