"""One side of benchmarks.generation: a process that generates text whenever it is asked to.

    python -m benchmarks.generation_side compiled|exported|pytorch --backbone gru --units 512

Reads lines of `batch characters` from stdin and answers each with the seconds that it took. What
is written for them is not looked at: the weights are random.
"""

import argparse
import os
import string
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

SIDES = ("compiled", "exported", "pytorch")
CHARACTERS = "\n !$&',-.3:;?" + string.ascii_letters  # those of tinyshakespeare
SEED = "ROMEO:"
TEMPERATURE = 0.8

# batch, characters → texts
Generate = Callable[[int, int], list[str]]


def main(arguments: list[str] | None = None) -> None:
    options = parser().parse_args(arguments)
    generate = SIDE[options.side](options)
    for line in sys.stdin:
        batch, characters = map(int, line.split())
        start = time.perf_counter()
        texts = generate(batch, characters)
        seconds = time.perf_counter() - start
        assert [len(text) for text in texts] == [characters] * batch
        print(seconds, flush=True)


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    made.add_argument("side", choices=SIDES)
    made.add_argument("--backbone", default="gru")
    made.add_argument("--units", type=int, default=512)
    made.add_argument("--layers", type=int, default=1)
    made.add_argument("--heads", type=int, default=4)
    made.add_argument("--context", type=int, default=256)
    made.add_argument("--export", type=Path, help="where the export is, or is to be")
    made.add_argument("--characters", type=int, default=1000, help="that an export generates")
    return made


def compiled(options: Any) -> Generate:
    """As `textapps generate` does it for a long text."""
    from textapps.decoding.config import DecodingConfig
    from textapps.tasks.generate.continuation import PIECE, Continuation

    generator = untrained(options)
    continuation = Continuation(generator.model, generator.preprocessor)

    def generate(batch: int, characters: int) -> list[str]:
        config = DecodingConfig(length=characters, temperature=TEMPERATURE)
        pieces = continuation.pieces([SEED] * batch, 0, config, PIECE, compiled=True)
        return ["".join(row) for row in zip(*pieces, strict=True)]

    return generate


def exported(options: Any) -> Generate:
    """The default signature, in a process that has nothing but TensorFlow; exports it first."""
    if not (options.export / "saved_model.pb").exists():
        from benchmarks import child

        sizes = ("backbone", "units", "layers", "heads", "context", "export", "characters")
        words = [f"--{name}={getattr(options, name)}" for name in sizes]
        code = "import sys; from benchmarks.generation_side import *; write_export(sys.argv[1:])"
        child.run([sys.executable, "-c", code, "exported", *words])
    import tensorflow as tf

    model = tf.saved_model.load(str(options.export))
    signature = model.signatures["serving_default"]

    def generate(batch: int, characters: int) -> list[str]:
        texts = signature(seed=tf.constant([SEED] * batch))["text"].numpy()
        return [text.decode() for text in texts]

    generate.model = model  # type: ignore[attr-defined]  # whose functions live as long as it does
    return generate


def write_export(arguments: list[str]) -> None:
    """The SavedModel of an untrained generator, with its default signature alone."""
    from textapps.exporting.archive import DEFAULT_SIGNATURE, write_saved_model
    from textapps.tasks.generate.signatures import Signatures

    options = parser().parse_args(arguments)
    endpoints = Signatures(untrained(options)).endpoints
    write_saved_model(options.export, {DEFAULT_SIGNATURE: endpoints[DEFAULT_SIGNATURE]})


def pytorch(options: Any) -> Generate:
    """A loop over characters in Python."""
    import torch

    from benchmarks import generation_pytorch as side

    torch.manual_seed(0)
    sizes = (len(CHARACTERS), options.units, options.layers)
    if options.backbone == "gru":
        model = side.Recurrent(*sizes)
    else:
        model = side.Transformer(*sizes, options.heads, options.context)
    model.eval()

    def generate(batch: int, characters: int) -> list[str]:
        seed = torch.tensor([[CHARACTERS.index(character) for character in SEED]] * batch)
        made = model.generate(seed, characters, TEMPERATURE)
        return ["".join(CHARACTERS[index] for index in row) for row in made.tolist()]

    return generate


def untrained(options: Any) -> Any:
    """What of a `TextGenerator` its loops and its export need."""

    from textapps.preprocessing.characters import CharacterPreprocessor
    from textapps.preprocessing.vocabulary import Vocabulary
    from textapps.tasks.generate.config import PRESETS
    from textapps.tasks.generate.model import LanguageModel
    from textapps.training.seeding import seed_everything

    flags = {f"backbone.{name}": getattr(options, name) for name in ("units", "layers", "heads")}
    flags |= {"backbone.kind": options.backbone, "backbone.context": options.context}
    flags |= {"decoding.length": options.characters, "decoding.temperature": TEMPERATURE}
    config = PRESETS.resolve(flags=flags)
    preprocessor = CharacterPreprocessor(Vocabulary(CHARACTERS))
    seed_everything(0)
    model = LanguageModel(config, len(preprocessor.vocabulary))
    model.build()
    return SimpleNamespace(config=config, preprocessor=preprocessor, model=model)


SIDE: dict[str, Callable[[Any], Generate]] = {
    "compiled": compiled,
    "exported": exported,
    "pytorch": pytorch,
}

if __name__ == "__main__":
    main()
