"""Tests of parsing requests as a reader process does."""

import json
import subprocess
import sys
from pathlib import Path

from tests.serving.grpc.asking import predict_request

ROOT = Path(__file__).parents[3]
SCRIPT = """
import json, sys
sys.path.insert(0, sys.argv[1])
from textapps.serving.grpc.messages import MessageKind, import_messages_alone
import_messages_alone()
from textapps.serving.grpc.requests import read_inference
request = read_inference(bytes.fromhex(sys.argv[2]), MessageKind("Predict", 1000))
inputs = {name: array.tolist() for name, array in request.inputs.items()}
print(json.dumps([*request[:3], inputs]))
print(json.dumps([hasattr(sys.modules["tensorflow"], "__version__"), "pydantic" in sys.modules]))
"""


def test_a_reader_needs_no_tensorflow() -> None:
    request = predict_request("m", {"x": [1.5, 2.0]}, ["y"], signature="s", version=7)
    command = [sys.executable, "-I", "-c", SCRIPT, str(ROOT), request.SerializeToString().hex()]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    parsed, imported = map(json.loads, done.stdout.splitlines())
    assert parsed == [["m", 7], "s", ["y"], {"x": [1.5, 2.0]}]
    assert imported == [False, False]
