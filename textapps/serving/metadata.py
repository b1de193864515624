"""What a SavedModel says of itself, in TensorFlow Serving's JSON."""

from pathlib import Path
from typing import Any

from textapps.savedmodel.graph import read_graph


def signature_defs(directory: Path) -> dict[str, Any]:
    """The signatures of the SavedModel in `directory`, by name.

    As protobuf has them in JSON: types as DT_…, sizes as strings, -1 where dynamic. Raises
    OSError where the file cannot be read.
    """
    from google.protobuf.json_format import MessageToDict

    graph = read_graph(directory)
    return {
        name: MessageToDict(
            graph.signature_def[name],
            preserving_proto_field_name=True,
            always_print_fields_with_no_presence=True,
        )
        for name in sorted(graph.signature_def)
    }
