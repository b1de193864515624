"""Classification and regression of tf.Examples, as TensorFlow Serving has them.

A signature of the method tensorflow/serving/classify or tensorflow/serving/regress has one input,
`inputs`, of serialized tf.Examples. One for classification has the outputs `classes` and `scores`
or one of them, one for regression has the output `outputs`.
"""

from typing import Literal, NamedTuple

import numpy as np

from textapps.savedmodel.errors import BadInput
from textapps.savedmodel.signature import Arrays, Signature

Verb = Literal["classify", "regress"]


class Classes(NamedTuple):
    """The classes of each example.

    labels   object[examples, classes] of bytes, empty where the model names none
    scores   float32[examples, classes], 0 where the model gives none
    """

    labels: np.ndarray
    scores: np.ndarray


def example_inputs(signature: Signature, verb: Verb, examples: np.ndarray) -> Arrays:
    """The inputs of a signature that classifies or regresses examples.

    Args:
        examples: object[examples] of bytes, each a serialized tf.Example; at least one.

    Raises:
        BadInput: the signature is one for another verb, or there are no examples.
    """
    if signature.method != f"tensorflow/serving/{verb}":
        suits = signature.method.rpartition("/")[2] or "predict"
        raise BadInput(
            f"signature '{signature.name}' is not one of tensorflow/serving/{verb}: use :{suits}"
        )
    outputs = signature.outputs.keys()
    fits = outputs == {"outputs"} if verb == "regress" else outputs & {"classes", "scores"}
    if signature.inputs.keys() != {"inputs"} or not fits or len(outputs) > 2:
        raise BadInput(f"signature '{signature.name}' lacks inputs or outputs that :{verb} needs")
    if not len(examples):
        raise BadInput(f"'{verb}' takes at least one example")
    return {"inputs": examples}


def classes_of(outputs: Arrays, examples: int) -> Classes:
    """The outputs of a signature for classification. Raises BadInput if they are not classes."""
    found = {name: outputs[name] for name in ("classes", "scores") if name in outputs}
    for name, array in found.items():
        if array.ndim != 2 or len(array) != examples:
            raise BadInput(
                f"output '{name}' has shape {list(array.shape)}, not [{examples}, classes]"
            )
    shapes = {array.shape for array in found.values()}
    if len(shapes) > 1:
        raise BadInput("the outputs 'classes' and 'scores' differ in their number of classes")
    (shape,) = shapes
    labels = found.get("classes", np.full(shape, b"", dtype=object))
    scores = found.get("scores", np.zeros(shape, np.float32))
    if labels.dtype != object or scores.dtype != np.float32:
        raise BadInput(f"classes are {labels.dtype.name} and scores {scores.dtype.name}")
    return Classes(labels, scores)


def values_of(outputs: Arrays, examples: int) -> np.ndarray:
    """float32[examples] from the outputs of a signature for regression.

    Raises BadInput if they are not one value for each example.
    """
    values = outputs["outputs"]
    if values.shape not in ((examples,), (examples, 1)) or values.dtype != np.float32:
        shape = list(values.shape)
        raise BadInput(f"output 'outputs' is {values.dtype.name}{shape}, not float32[{examples}]")
    return values.reshape(-1)
