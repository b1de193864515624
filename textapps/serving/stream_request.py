"""What a request for a generated text may contain, as the export's manifest says."""

import json
from collections.abc import Mapping
from functools import cache
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, create_model

from textapps.savedmodel.errors import BadInput

Schemas = dict[str, dict[str, Any]]

# Those of an export whose manifest has defaults only, as exports had before min_p.
_FORMER: Schemas = {
    "length": {
        "type": "integer",
        "default": 500,
        "minimum": 1,
        "maximum": 100_000,
        "usual_maximum": 3_000,
    },
    "temperature": {
        "type": "number",
        "default": 0.8,
        "minimum": 0,
        "maximum": 100,
        "usual_maximum": 2,
    },
    "top_k": {
        "type": "integer",
        "default": 0,
        "minimum": 0,
        "maximum": 2**31 - 1,
        "off": 0,
        "usual_maximum": 100,
    },
    "top_p": {"type": "number", "default": 1.0, "exclusiveMinimum": 0, "maximum": 1, "off": 1},
    "repetition_penalty": {
        "type": "number",
        "default": 1.0,
        "minimum": 1,
        "maximum": 100,
        "off": 1,
        "usual_maximum": 2,
    },
    "random_seed": {"type": "integer", "default": 0, "minimum": -(2**63), "maximum": 2**63 - 1},
    "stop": {"anyOf": [{"type": "string", "minLength": 1}, {"type": "null"}], "default": None},
}
_TYPES = {"integer": int, "number": float, "string": str}
_BOUNDS = {
    "minimum": "ge",
    "exclusiveMinimum": "gt",
    "maximum": "le",
    "exclusiveMaximum": "lt",
    "minLength": "min_length",
}


class StreamRequest(BaseModel):
    """What to generate: `length` characters after `seed`, up to `stop` where it occurs.

    The other fields are the inputs of the signature `continue`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    seed: str = ""
    length: int
    stop: str | None

    @staticmethod
    def parse(body: Mapping[str, Any], manifest: Mapping[str, Any]) -> "StreamRequest":
        """A request's body over the defaults of an export. Raises BadInput."""
        try:
            return _model(json.dumps(option_schemas(manifest))).model_validate(dict(body))
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            key = ".".join(map(str, first["loc"]))
            raise BadInput(f"'{key}': {first['msg'][:1].lower()}{first['msg'][1:]}") from None


def option_schemas(manifest: Mapping[str, Any]) -> Schemas:
    """Option → JSON schema, from a manifest of any version."""
    options, defaults = manifest.get("options"), manifest.get("decoding")
    if isinstance(options, dict) and options:
        return options
    defaults = defaults if isinstance(defaults, dict) else {}
    return {
        name: {**schema, "default": schema["default"] if value is None else value}
        for name, schema in _FORMER.items()
        for value in [defaults.get(name)]
    }


@cache
def _model(schemas: str) -> type[StreamRequest]:
    fields = {name: _field(schema) for name, schema in json.loads(schemas).items()}
    return create_model("StreamRequest", __base__=StreamRequest, **fields)


def _field(schema: dict[str, Any]) -> Any:
    """Type and field of a schema as pydantic writes it for a number, a text or "text or null"."""
    given = schema.get("anyOf", [schema])
    kind: Any = _TYPES[given[0]["type"]]
    bounds = {_BOUNDS[key]: value for key, value in given[0].items() if key in _BOUNDS}
    nullable = {"type": "null"} in given
    return (kind | None if nullable else kind, Field(default=schema.get("default"), **bounds))
