"""Outputs that are variables, in models written by TensorFlow 1."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

# The data type of a reference is that of its value and this.
_REFERENCE = 100


@contextmanager
def copied_outputs(directory: Path) -> Iterator[Path]:
    """A SavedModel like the one in `directory`, whose outputs are copies of what they were.

    TensorFlow 1 had variables that changed where they were, and gave references to them as outputs.
    An identity would not do: it shares the memory, so later calls would change earlier answers.

    Raises OSError where a file cannot be read, and what protobuf raises for a damaged one.
    """
    from tensorflow.core.protobuf import saved_model_pb2

    saved = saved_model_pb2.SavedModel.FromString((directory / "saved_model.pb").read_bytes())
    for graph in saved.meta_graphs:
        for signature in graph.signature_def.values():
            for output in signature.outputs.values():
                if output.dtype > _REFERENCE:
                    output.dtype -= _REFERENCE
                copy = graph.graph_def.node.add(
                    name=f"copied_output_{len(graph.graph_def.node)}",
                    op="DeepCopy",
                    input=[output.name],
                )
                copy.attr["T"].type = output.dtype
                output.name = f"{copy.name}:0"
    with tempfile.TemporaryDirectory() as temporary:
        changed = Path(temporary)
        (changed / "saved_model.pb").write_bytes(saved.SerializeToString())
        for path in directory.iterdir():
            if path.name != "saved_model.pb":
                (changed / path.name).symlink_to(path.resolve())
        yield changed
