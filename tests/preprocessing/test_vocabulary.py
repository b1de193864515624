import pytest
from hypothesis import given
from hypothesis import strategies as st

from textapps.core.errors import RunError
from textapps.preprocessing.vocabulary import Vocabulary


@given(st.lists(st.text(min_size=1), unique=True, max_size=11))
def test_saved_and_loaded_is_the_same(tmp_path_factory, tokens):
    path = tmp_path_factory.mktemp("vocabulary") / "vocabulary.txt"
    tokens = [token for token in tokens if token.isprintable() or "\n" in token]
    tokens = [token.encode("utf-8", "ignore").decode() or "x" for token in tokens]
    Vocabulary(tokens).save(path)
    assert Vocabulary.load(path).tokens == tuple(tokens)


@pytest.mark.parametrize("token", ["\\n", "\n", "\\\n", "\r\n", "\x85", "\\\\n", "\u2028", " "])
def test_awkward_tokens_survive(tmp_path, token):
    Vocabulary(["a", token]).save(tmp_path / "v")
    assert Vocabulary.load(tmp_path / "v").tokens == ("a", token)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "cannot be read"),
        (b"\xff\n", "cannot be read"),
        (b"textapps vocabulary 2\na\n", "'textapps vocabulary 2', not 'textapps vocabulary 1'"),
        (b"the\nfilm\n", "damaged"),
        (b"textapps vocabulary 1\nthe\nfi", "truncated"),
    ],
)
def test_a_damaged_or_newer_file_is_refused(tmp_path, content, message):
    path = tmp_path / "vocabulary.txt"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(RunError, match=message):
        Vocabulary.load(path)


def test_a_changed_file_is_refused_unless_it_is_of_an_older_version(tmp_path):
    path = tmp_path / "vocabulary.txt"
    Vocabulary(["the", "film"]).save(path)
    path.write_bytes(path.read_bytes().replace(b"film", b"firm"))
    with pytest.raises(RunError, match=r"vocabulary\.txt is not what was written"):
        Vocabulary.load(path)
    (tmp_path / "vocabulary.json").unlink()
    assert Vocabulary.load(path).tokens == ("the", "firm")
