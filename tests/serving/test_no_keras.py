"""A server imports no Keras."""

import subprocess
import sys


def test_a_server_has_no_keras(place, directory) -> None:
    place("m", 1, "classifier")
    script = f"""
import asyncio, sys, time
import numpy as np
from textapps.serving.repository import Repository
assert "tensorflow" not in sys.modules
repository = Repository({str(directory)!r})
repository.start()
while not repository.ready:
    time.sleep(0.01)
import textapps.serving.grpc.model_status, textapps.serving.grpc.prediction
text = np.array(["good"], dtype=object)
answer = asyncio.run(repository.find("m").predict("serving_default", {{"text": text}}))
print(answer["label"][0].decode(), "keras" in sys.modules)
repository.stop()
import keras
print(keras.ops.sqrt(4.0).numpy())
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.stdout.split() == ["good", "False", "2.0"], done.stderr
