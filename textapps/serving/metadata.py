"""What a SavedModel says of itself, in TensorFlow Serving's JSON."""

from pathlib import Path
from typing import Any


def signature_defs(directory: Path) -> dict[str, Any]:
    """The signatures of the SavedModel in `directory`, by name.

    As protobuf has them in JSON: types as DT_…, sizes as strings, -1 where dynamic. Raises
    OSError where the file cannot be read.
    """
    from google.protobuf.json_format import MessageToDict
    from tensorflow.core.protobuf import saved_model_pb2

    saved = saved_model_pb2.SavedModel.FromString((directory / "saved_model.pb").read_bytes())
    (graph,) = (graph for graph in saved.meta_graphs if "serve" in graph.meta_info_def.tags)
    return {
        name: MessageToDict(
            graph.signature_def[name],
            preserving_proto_field_name=True,
            always_print_fields_with_no_presence=True,
        )
        for name in sorted(graph.signature_def)
    }
