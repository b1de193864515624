"""What signatures say of themselves, take, refuse and answer."""

import ml_dtypes
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from tests.serving.models import strings
from textapps.savedmodel import signature
from textapps.savedmodel.errors import BadInput, ModelFailed
from textapps.savedmodel.manifest import TensorInfo
from textapps.savedmodel.signature import Signature


def info(dtype, shape):
    return TensorInfo(dtype=dtype, shape=shape)


@pytest.fixture(scope="module")
def load(built):
    """`load("sums", "whole")` is that signature of that model, `load(("m", 2))` of `m` with 2."""
    loaded = {}

    def signature(model, name="serving_default"):
        arguments = (model,) if isinstance(model, str) else model
        saved = loaded.setdefault(model, tf.saved_model.load(str(built(*arguments))))
        return Signature(name, saved.signatures[name])

    return signature


def sums_inputs(batch=2, time=4):
    return {
        "ids": np.arange(batch * time, dtype=np.int32).reshape(batch, time),
        "weights": np.ones((batch, 3), np.float32),
    }


def test_specs(load, built) -> None:
    sums = load("sums")
    assert dict(sums.inputs) == {
        "ids": info("int32", (None, None)),
        "weights": info("float32", (None, 3)),
    }
    assert dict(sums.outputs) == {
        "doubled": info("int32", (None, None)),
        "total": info("float32", (None,)),
    }
    assert (sums.batched, sums.joinable) == (True, True)
    whole = load("sums", "whole")
    assert whole.inputs == {"number": info("float32", ())}
    assert (whole.batched, whole.joinable) == (False, False)
    assert load("classifier").outputs["label"] == info("string", (None,))
    assert load("classifier").joinable
    function = tf.saved_model.load(str(built("classifier"))).signatures["serving_default"]
    assert not Signature("serving_default", function, stateful=True).joinable
    letters = load("letters")
    assert (letters.batched, letters.joinable) == (True, False)  # as wide as the longest text


def test_numbers_in_and_out(load) -> None:
    sums = load("sums")
    answer = sums.call(sums.check(sums_inputs()))
    assert answer["total"].tolist() == [9, 25]
    assert answer["total"].dtype == np.float32
    assert answer["doubled"].tolist() == [[0, 2, 4, 6], [8, 10, 12, 14]]
    no_time = sums.call(sums.check(sums_inputs(time=0)))  # for the graph to evaluate
    assert no_time["doubled"].shape == (2, 0)
    no_rows = sums.call(sums.check(sums_inputs(batch=0)))
    assert (no_rows["total"].shape, no_rows["doubled"].shape) == ((0,), (0, 4))
    whole = load("sums", "whole")
    assert whole.call(whole.check({"number": np.float32([3])[0]}))["square"] == 9


def test_text_in_and_out(load) -> None:
    translator = load("translator", "n_best")
    answer = translator.call(translator.check({"source": strings("Ab", "ü\0".encode(), "")}))
    assert answer["translations"].tolist() == [
        [b"AB", b"Ab", b"ab", b""],
        [*["ü\0".encode()] * 3, b""],
        [b""] * 4,
    ]


def test_a_text_without_dimensions(load) -> None:
    scalar = load("scalar")
    answer = scalar.call(scalar.check({"text": np.array("ü", dtype=object)}))
    assert answer["upper"].shape == ()
    assert answer["upper"].item() == "ü".encode()


@pytest.mark.parametrize("values", [[[1], [2], [5]], [1, 2, 5], [[1, 2], [3, 4]], [[[1, 2, 3]]]])
def test_a_column_takes_any_shape(load, values) -> None:
    column = load(("half_plus", 2))
    given = np.array(values, np.float32)
    answer = column.call(column.check({"x": given}))["y"]
    assert answer.tolist() == (given / 2 + 2).tolist()
    with pytest.raises(BadInput, match="shape"):
        column.check({"x": np.array(1, np.float32)})


@pytest.mark.slow
@given(st.data())
def test_every_data_type_comes_back_as_it_was(load, data) -> None:
    typed = load("typed")
    inputs = {
        name: data.draw(arrays.arrays(dtype, (3, 2)), label=name)
        for name, dtype in {
            "bool": np.bool_,
            "uint8": np.uint8,
            "int8": np.int8,
            "int64": np.int64,
            "uint64": np.uint64,
            "float16": np.float16,
            "float64": np.float64,
        }.items()
    }
    inputs["bfloat16"] = inputs["int8"].astype(ml_dtypes.bfloat16)
    inputs["image_bytes"] = strings(*data.draw(st.lists(st.binary(), min_size=3, max_size=3)))
    answer = typed.call(typed.check(inputs))
    for name, array in inputs.items():
        echo = answer[f"echo_{name}"]
        assert echo.dtype == array.dtype
        assert np.array_equal(echo, array, equal_nan=echo.dtype.kind == "f")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"ids": None}, "the request lacks the input 'ids'; .* takes 'ids', 'weights'"),
        ({"more": np.zeros(2)}, "takes no input 'more'; signature 'serving_default' takes 'ids',"),
        ({"ids": np.zeros((2, 4), np.int64)}, "'ids' is int64, the signature takes int32"),
        ({"ids": strings("a", "b")}, "'ids' is object, the signature takes int32"),
        ({"ids": np.zeros(2, np.int32)}, r"'ids' has shape \[2\], .* takes \[any, any\]"),
        (
            {"weights": np.zeros((2, 4), np.float32)},
            r"'weights' has shape \[2, 4\], the signature takes \[any, 3\]",
        ),
        (
            {"weights": np.zeros((5, 3), np.float32)},
            "differ in their number of rows: 'ids' 2, 'weights' 5",
        ),
    ],
)
def test_what_does_not_fit_is_refused(load, changes, message) -> None:
    inputs = {k: v for k, v in {**sums_inputs(), **changes}.items() if v is not None}
    with pytest.raises(BadInput, match=message):
        load("sums").check(inputs)


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.array([1.5]), "'text' holds a float64, the signature takes strings"),
        (np.array([None], object), "'text' holds a NoneType"),
        (strings("fine", "\ud800"), "'text' holds text that is not Unicode"),
        (np.array([["a"]], object), r"has shape \[1, 1\], the signature takes \[any\]"),
        (np.array("a", object), r"has shape \[\], the signature takes \[any\]"),
    ],
)
def test_what_is_not_text_is_refused(load, array, message) -> None:
    with pytest.raises(BadInput, match=message):
        load("lengths").check({"text": array})


def test_many_strings_go_in_and_out_in_parts(load, monkeypatch) -> None:
    monkeypatch.setattr(signature, "PART", 3)
    translator = load("translator", "n_best")
    texts = [f"Text {number}" for number in range(8)]
    answer = translator.call(translator.check({"source": strings(*texts)}))
    assert [row[1].decode() for row in answer["translations"]] == texts
    assert answer["translations"].shape == (8, 4)


def test_the_order_of_inputs_is_that_of_the_specs(load) -> None:
    backwards = dict(reversed(sums_inputs().items()))
    assert list(load("sums").check(backwards)) == ["ids", "weights"]


def test_a_complaint_of_the_graph_is_one_line_about_the_input(load) -> None:
    lengths = load("lengths")
    with pytest.raises(BadInput) as caught:
        lengths.call(lengths.check({"text": strings("a", "bad")}))
    assert str(caught.value) == "a bad text"


def test_any_other_failure_is_the_models(load, monkeypatch) -> None:
    lengths = load("lengths")

    def fail(**inputs):
        raise tf.errors.ResourceExhaustedError(None, None, "no memory\n\t [[{{node f}}]] [Op:g]")

    monkeypatch.setattr(lengths, "_function", fail)
    with pytest.raises(ModelFailed, match=r"^no memory$"):
        lengths.call(lengths.check({"text": strings("a")}))


def test_a_savedmodel_of_tensorflow_1(tmp_path) -> None:
    v1 = tf.compat.v1
    with v1.Graph().as_default(), v1.Session() as session:
        x = v1.placeholder(tf.float32, [None, 3], name="x")
        weight = v1.get_variable("weight", initializer=[[1.0], [2.0], [3.0]], use_resource=True)
        session.run(v1.global_variables_initializer())
        builder = v1.saved_model.Builder(str(tmp_path / "1"))
        signature = v1.saved_model.predict_signature_def({"x": x}, {"y": tf.matmul(x, weight)})
        builder.add_meta_graph_and_variables(
            session, ["serve"], signature_def_map={"serving_default": signature}
        )
        builder.save()
    saved = tf.saved_model.load(str(tmp_path / "1"), tags=["serve"])
    old = Signature("serving_default", saved.signatures["serving_default"])
    assert old.inputs == {"x": info("float32", (None, 3))}
    assert old.batched
    assert old.call(old.check({"x": np.eye(3, dtype=np.float32)[:2]}))["y"].tolist() == [[1], [2]]
