"""The sides of `generation` that generate with textapps.

A question is {"texts", "characters"} and the sizes of a model; the answer is the seconds taken.
The weights are random, and what is written is not looked at.
"""

import os
import string
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

CHARACTERS = "\n !$&',-.3:;?" + string.ascii_letters  # those of tinyshakespeare
SEED = "ROMEO:"
EXPORTED_COMPILED = "serving_default_compiled"
TEMPERATURE = 0.8
SIZES = ("units", "layers", "heads", "context")

Ask = Callable[[dict[str, Any]], float]
Generate = Callable[[int, int], list[str]]  # texts, characters → texts


def timed(model_of: Callable[..., Generate]) -> Ask:
    """A side whose models are made, once, outside of the time that is taken."""
    known = cache(model_of)

    def ask(question: dict[str, Any]) -> float:
        sizes = {name: question[name] for name in SIZES if name in question}
        generate = known(backbone=question["backbone"], characters=question["characters"], **sizes)
        texts, characters = question["texts"], question["characters"]
        start = time.perf_counter()
        made = generate(texts, characters)
        seconds = time.perf_counter() - start
        if [len(text) for text in made] != [characters] * texts:
            raise RuntimeError(f"not {texts} texts of {characters} characters")
        return seconds

    return ask


def path_of(scratch: str, sizes: dict[str, Any]) -> Path:
    return Path(scratch) / "-".join(map(str, sizes.values()))


def compiled(scratch: str) -> Ask:
    """As `textapps generate` does it for a long text; writes the exports of its models."""
    from textapps.decoding.config import DecodingConfig
    from textapps.exporting.archive import DEFAULT_SIGNATURE, write_saved_model
    from textapps.tasks.generate.continuation import PIECE, Continuation
    from textapps.tasks.generate.signatures import Signatures

    def model_of(**sizes: Any) -> Generate:
        generator = untrained(**sizes)
        endpoints = Signatures(generator, compiled=True).endpoints
        written = {name: endpoints[name] for name in (DEFAULT_SIGNATURE, EXPORTED_COMPILED)}
        write_saved_model(path_of(scratch, sizes), written)
        continuation = Continuation(generator.model, generator.preprocessor)

        def generate(texts: int, characters: int) -> list[str]:
            config = DecodingConfig(length=characters, temperature=TEMPERATURE)
            pieces = continuation.pieces([SEED] * texts, 0, config, PIECE, compiled=True)
            return ["".join(row) for row in zip(*pieces, strict=True)]

        return generate

    return timed(model_of)


def alone(scratch: str) -> Ask:
    """As `exported`, each operation in one thread, as docs/export.md advises for few inputs."""
    os.environ["TF_NUM_INTRAOP_THREADS"] = "1"
    return exported(scratch)


def exported_compiled(scratch: str) -> Ask:
    """As `exported`, the form of the default signature that XLA compiles."""
    return exported(scratch, EXPORTED_COMPILED)


def exported(scratch: str, name: str = "serving_default") -> Ask:
    """A signature, by default the default one, in a process that has nothing but TensorFlow."""
    import tensorflow as tf

    def model_of(**sizes: Any) -> Generate:
        model = tf.saved_model.load(str(path_of(scratch, sizes)))

        def generate(texts: int, characters: int) -> list[str]:
            signature = model.signatures[name]
            found = signature(seed=tf.constant([SEED] * texts))["text"].numpy()
            return [text.decode() for text in found]

        return generate

    return timed(model_of)


def untrained(backbone: str, characters: int, **sizes: int) -> Any:
    """What of a `TextGenerator` its loops and its export need."""
    from textapps.preprocessing.characters import CharacterPreprocessor
    from textapps.preprocessing.vocabulary import Vocabulary
    from textapps.tasks.generate.config import PRESETS
    from textapps.tasks.generate.model import LanguageModel
    from textapps.training.seeding import seed_everything

    flags: dict[str, object] = {f"backbone.{name}": value for name, value in sizes.items()}
    flags |= {"backbone.kind": backbone, "decoding.length": characters}
    config = PRESETS.resolve(flags={**flags, "decoding.temperature": TEMPERATURE})
    preprocessor = CharacterPreprocessor(Vocabulary(CHARACTERS))
    seed_everything(0)
    model = LanguageModel(config, len(preprocessor.vocabulary))
    model.build()
    return SimpleNamespace(config=config, preprocessor=preprocessor, model=model)
