"""What a SavedModel says of itself, in TensorFlow Serving's JSON."""

import json
from typing import Any


def describe_signatures(graph: Any, name: str, version: int) -> bytes:
    """The answer to a request for the metadata of a SavedModel, from its `MetaGraphDef`.

    Signatures as protobuf has them in JSON: types as DT_…, sizes as strings, -1 where dynamic.
    """
    from google.protobuf.json_format import MessageToDict

    signatures = {
        key: MessageToDict(
            graph.signature_def[key],
            preserving_proto_field_name=True,
            always_print_fields_with_no_presence=True,
        )
        for key in sorted(graph.signature_def)
    }
    described = {
        "model_spec": {"name": name, "signature_name": "", "version": str(version)},
        "metadata": {"signature_def": {"signature_def": signatures}},
    }
    return json.dumps(described, separators=(",", ":")).encode()
