"""What a SavedModel says of itself, in TensorFlow Serving's JSON."""

import json
from pathlib import Path

from textapps.savedmodel.graph import read_graph


def describe_signatures(directory: Path, name: str, version: int) -> bytes:
    """The answer to a request for the metadata of the SavedModel in `directory`.

    Signatures as protobuf has them in JSON: types as DT_…, sizes as strings, -1 where dynamic.
    Raises OSError where the file cannot be read, and what protobuf raises for a damaged one.
    """
    from google.protobuf.json_format import MessageToDict

    graph = read_graph(directory)
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
