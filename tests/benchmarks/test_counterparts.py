"""The counterparts do what they stand for; most of them need PyTorch."""

import itertools
import math
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.suites import generation_sides, search_sides, speech_sides
from textapps.preprocessing.log_mel import FrontEnd
from textapps.preprocessing.normalization import Normalization
from textapps.tasks.speech.config import PRESETS, SpeechConfig
from textapps.tasks.speech.model import SpeechModel
from textapps.training.run_directory import RunDirectory
from textapps.training.seeding import seed_everything


def test_keras_recipe_pads_and_cuts_in_front() -> None:
    from benchmarks.counterparts import keras_recipe

    ids = keras_recipe.learn(["It's <br />GOOD!", "good, BAD good"])
    assert ids["good"] == keras_recipe.FIRST
    assert set(ids) == {"it's", "br", "good", "bad"}
    long = "bad " * keras_recipe.LENGTH + "good"
    short, cut = keras_recipe.encode(["Good or bad?", long], ids)
    assert (len(short), len(cut)) == (keras_recipe.LENGTH,) * 2
    end = [keras_recipe.START, ids["good"], keras_recipe.UNKNOWN, ids["bad"]]
    assert short.tolist() == [0] * (keras_recipe.LENGTH - 4) + end
    assert cut.tolist() == [ids["bad"]] * (keras_recipe.LENGTH - 1) + [ids["good"]]


@pytest.fixture(scope="module")
def torch() -> Any:
    return pytest.importorskip("torch")


@pytest.fixture
def recipe(torch: Any) -> Any:
    from benchmarks.counterparts import nanogpt_recipe

    torch.manual_seed(0)
    return nanogpt_recipe


def test_nanogpt_has_its_size_and_sees_the_past_only(torch: Any, recipe: Any) -> None:
    """12 · width² weights a block, 9 norms, 65 characters and 64 positions."""
    model = recipe.Transformer(65)
    expected = 4 * 12 * 128**2 + 9 * 128 + (65 + 64) * 128
    assert sum(weights.numel() for weights in model.parameters()) == expected
    ids = torch.randint(65, (3, 17))
    other = ids.clone()
    other[:, 11] = (other[:, 11] + 1) % 65
    same = (model(ids) == model(other)).all(dim=2)
    assert same[:, :11].all()
    assert not same[:, 11:].any()


def test_the_rate_rises_over_steps_and_falls_over_time(recipe: Any) -> None:
    rates = [recipe.learning_rate(step, 0.0, 50.0, 0.0) for step in (0, 49, 99)]
    assert rates == pytest.approx([1e-5, 5e-4, 1e-3])
    falling = [recipe.learning_rate(500, at, 50.0, 10.0) for at in (10.0, 30.0, 50.0)]
    assert falling == pytest.approx([1e-3, 5.5e-4, 1e-4])


def test_training_ends_with_the_time_and_learns(
    torch: Any, recipe: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recipe, "BATCH", 3)
    text = torch.arange(5).repeat(40)
    model = recipe.Transformer(5)
    ticks = itertools.count()
    assert recipe.train(model, text, 25, lambda: next(ticks)) == 24
    with torch.no_grad():
        assert recipe.evaluate(model, text, 64).mean() < 0.7 * math.log(5)


@pytest.mark.parametrize(("characters", "stride"), [(200, 16), (130, 64), (64, 16), (9, 16)])
def test_every_character_is_evaluated_where_it_has_most_before_it(
    torch: Any, recipe: Any, characters: int, stride: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Counts:
        """Whose surprise is the target, and a tenth for each character before it."""

        def nats(self, ids: Any, targets: Any) -> Any:
            return targets + torch.arange(ids.shape[1]) / 1000

    monkeypatch.setattr(recipe, "WINDOWS", 3)
    found = recipe.evaluate(Counts(), torch.arange(characters + 1), stride)
    assert found.astype(int).tolist() == list(range(1, characters + 1))
    before = np.round((found % 1) * 1000).astype(int)
    assert before[:64].tolist() == list(range(min(64, characters)))
    windows = {*range(0, characters - 64, stride), max(0, characters - 64)}
    most = [max(i - start for start in windows if 0 <= i - start < 64) for i in range(characters)]
    assert before.tolist() == most


@pytest.mark.parametrize("backbone", ["gru", "transformer"])
def test_pytorch_generates_as_many_characters_as_asked(torch: Any, backbone: str) -> None:
    from benchmarks.counterparts import pytorch_generation

    sizes = {"units": 8, "layers": 2}
    sizes |= {"heads": 2, "context": 5} if backbone == "transformer" else {}
    ask = pytorch_generation.pytorch("")
    assert ask({"backbone": backbone, "texts": 3, "characters": 7, **sizes}) > 0


def test_a_side_that_generates_too_little_is_an_error() -> None:
    ask = generation_sides.timed(lambda **sizes: lambda texts, characters: ["x" * 5] * texts)
    assert ask({"texts": 2, "characters": 5, "backbone": "gru"}) < 1
    with pytest.raises(RuntimeError, match="not 2 texts of 6 characters"):
        ask({"texts": 2, "characters": 6, "backbone": "gru"})


SMALL = {"vocabulary": 31, "units": 8, "layers": 2, "heads": 2, "feed_forward": 6}


def finders(folder: Path) -> list[search_sides.Find]:
    from benchmarks.counterparts import pytorch_search

    ours = search_sides.finder(False, str(folder), **SMALL)  # writes the weights
    return [ours, *(pytorch_search.finder(way, str(folder), **SMALL) for way in (True, False))]


@pytest.mark.usefixtures("torch")
def test_all_sides_find_the_same_answers_of_the_length_asked_for(tmp_path: Path) -> None:
    source = search_sides.sources(5, 31)
    source[1, 7:] = 0  # padding changes nothing
    finds = finders(tmp_path)
    for length in (3, 7):
        (ids, scores), (other_ids, other_scores), uncached = (
            find(source, length) for find in finds
        )
        np.testing.assert_array_equal(uncached[0], other_ids)
        np.testing.assert_allclose(uncached[1], other_scores, rtol=1e-5)
        assert ids.shape == other_ids.shape == (5, length)
        assert (ids >= search_sides.FIRST).all()
        assert len({tuple(row) for row in ids.tolist()}) > 1, "the source must matter"
        same = (ids == other_ids).all(axis=1)
        assert same.mean() >= 0.8  # ours keeps the greedy sequence
        np.testing.assert_allclose(scores[same], other_scores[same], rtol=1e-4)


@pytest.mark.usefixtures("torch")
def test_the_search_in_pytorch_ends_answers_by_themselves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    draw = search_sides.drawn

    def with_ends(shapes: Any) -> Any:
        arrays = draw(shapes)
        arrays["target_embedding/embeddings"][search_sides.END, 0] = 40.0
        return arrays

    monkeypatch.setattr(search_sides, "drawn", with_ends)
    source = search_sides.sources(9, 31)
    finds = finders(tmp_path)[:2]
    (ids, scores), (other_ids, other_scores) = (find(source, 6) for find in finds)
    lengths = (other_ids > 0).sum(axis=1)
    assert lengths.min() < lengths.max() <= 6
    same = (ids == other_ids[:, : ids.shape[1]]).all(axis=1)
    assert same.mean() >= 0.7
    np.testing.assert_allclose(scores[same], other_scores[same], rtol=1e-4)


def test_an_answer_that_ends_early_is_an_error() -> None:
    def find(source: Any, length: int) -> tuple[Any, Any]:
        return np.full((2, length), 7 if length == 3 else 0), np.array([-0.5, -1.5])

    ask = search_sides.timed(find, 31)
    answer = ask([2, 3])
    assert (answer["ids"], answer["scores"]) == ([[7, 7, 7]] * 2, [-0.5, -1.5])
    with pytest.raises(RuntimeError, match="ended before"):
        ask([2, 4])


def speech_model(classes: int, **changes: object) -> tuple[SpeechConfig, Any]:
    """A model of 11 mel bands without a run."""
    config = PRESETS.resolve(flags={"preset": "small", "preprocessor.mels": 11, **changes})
    random = np.random.default_rng(1)
    normalization = Normalization(random.normal(-7, 1, 11), random.uniform(1, 2, 11))
    model: Any = SpeechModel(config, FrontEnd(config.preprocessor, normalization), classes)
    model.build()
    return config, model


def recognizer(config: SpeechConfig, arrays: Any) -> Any:
    from benchmarks.counterparts.pytorch_speech import Recognizer

    found = config.model_dump()
    return Recognizer(arrays, found["preprocessor"], found["stem"], found["backbone"])


def clips(config: SpeechConfig, folder: Path, count: int) -> Any:
    run = RunDirectory.create(folder, "speech", "gru", config)
    return speech_sides.clips(str(run.path), count)


@pytest.mark.parametrize(
    ("kind", "separable"), [("simple_rnn", True), ("lstm", True), ("gru", True), ("gru", False)]
)
def test_both_sides_have_the_same_logits(
    torch: Any, kind: str, separable: bool, tmp_path: Path
) -> None:
    changes = {"backbone.units": 6, "preprocessor.clip_seconds": 0.2, "backbone.kind": kind}
    config, model = speech_model(3, **changes, **{"stem.separable": separable})
    random = np.random.default_rng(2)
    for variable in model.variables:
        if "seed_generator" not in variable.path:
            low = 0.5 if variable.path.endswith("variance") else -0.8
            variable.assign(random.uniform(low, 0.8, variable.shape))
    arrays = speech_sides.weights_of(model)
    other = recognizer(config, arrays)
    other.load(arrays)
    pcm, _ = clips(config, tmp_path, 4)
    assert pcm.shape == (4, 3_200)
    ours = model({"pcm": pcm, "seeds": np.zeros(4, np.int64)}).numpy()
    with torch.no_grad():
        theirs = other.eval()(torch.tensor(pcm)).numpy()
    np.testing.assert_allclose(theirs, ours, rtol=1e-4, atol=1e-4)
    assert np.ptp(ours, axis=0).min() > 1e-3, "the clips must matter"


def test_training_in_pytorch_learns(torch: Any, tmp_path: Path) -> None:
    from benchmarks.counterparts.pytorch_speech import Trainer

    seed_everything(0)
    torch.manual_seed(0)  # of what it drops
    config, model = speech_model(2, **{"backbone.units": 8})
    other = recognizer(config, speech_sides.weights_of(model))
    found = config.model_dump()
    trainer = Trainer(other, {**found["training"], "learning_rate": 0.02}, found["model"])
    pcm, labels = map(torch.tensor, clips(config, tmp_path, 12))
    step = partial(trainer.step, pcm, labels.long())
    for _ in range(120):  # until the means of the normalisations have come near
        step()
    assert (other.eval()(pcm).argmax(dim=1) == labels).all()
    assert any((w != a).any() for w, a in zip(trainer.weights, trainer.averages, strict=True))
