import numpy as np
import tensorflow as tf

from textapps.exporting.archive import Endpoint
from textapps.exporting.steady import steady_case
from textapps.exporting.verification import differs


def endpoint(wobbling: bytes) -> Endpoint:
    """Texts → their letters, and a number that depends on the batch for one of the texts."""

    def answer(text):
        letters = tf.strings.unicode_split(text, "UTF-8").to_tensor("")
        rows = tf.cast(tf.size(text), tf.float32)
        return {"letters": letters, "number": tf.where(text == wobbling, rows, 7.0)}

    return Endpoint(answer, [tf.TensorSpec([None], tf.string, "text")])


def test_rows_that_answer_otherwise_alone_are_left_out() -> None:
    case = steady_case("explain", endpoint(b"bcd"), {"text": ["a", "bcd", "", "ef"]})
    assert case.inputs == {"text": ["a", "", "ef"]}
    assert case.outputs["letters"].tolist() == [[b"a", b""], [b"", b""], [b"e", b"f"]]


def test_one_row_stays() -> None:
    case = steady_case("explain", endpoint(b"x"), {"text": ["x", "x"]})
    assert case.inputs == {"text": ["x"]}
    assert case.outputs["number"].tolist() == [1.0]


def test_only_padding_may_differ_from_a_batch() -> None:
    together = {"x": np.array([[1.0, 2.0, 0.0], [3.0, 0.0, 4.0]])}
    assert differs({"x": np.array([[1.0, 2.0]])}, together, 0, 1e-5) is None
    assert differs({"x": np.array([[1.0, 2.1]])}, together, 0, 1e-5)
    assert differs({"x": np.array([[3.0, 0.0]])}, together, 1, 1e-5)  # 4.0 is no padding
    assert differs({"x": np.array([[3.0, 0.0, 4.0, 0.0]])}, together, 1, 1e-5)
    assert differs({}, together, 0, 1e-5)
    words = {"x": np.array([[b"a", b""]], object)}
    assert differs({"x": np.array([[b"a"]], object)}, words, 0, 1e-5) is None
