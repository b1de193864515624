"""What can be seen inside a translator."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from textapps.core.counted import counted
from textapps.core.errors import DataError, RunError
from textapps.core.tokens import EOS, PAD
from textapps.datasets.pairs.loader import load_pairs
from textapps.interpret.request import Request
from textapps.interpret.section import Section, Seen
from textapps.tasks.predictor import utf8
from textapps.tasks.translate.model import TranslationModel
from textapps.tasks.translate.predictor import END, Translator
from textapps.tasks.translate.why import why_sections

SENTENCES = 32  # of the validation split
SHORTEST = 3  # characters


def inspect(translator: Translator, request: Request) -> Seen:
    """The sections on some sentences: what the encoder does with them.

    Raises:
        DataError: a sentence has fewer than three characters, or there is none and the validation
            data cannot be read.
    """
    sentences, looked_at = _sentences_of(translator, request)
    return Seen(looked_at, _sections(translator, sentences, request))


def _sentences_of(translator: Translator, request: Request) -> tuple[Sequence[str], str]:
    """The sentences to look at, and what they are."""
    if request.inputs:
        for text in request.inputs:
            if len(text.strip()) < SHORTEST:
                raise DataError(
                    f"{text!r} has fewer than {SHORTEST} characters: give a longer sentence"
                )
        return request.inputs, counted(len(request.inputs), "sentence")
    split = load_pairs(translator.config.data, ("validation",))[0]
    sentences = sorted(split.sources, key=len)[-4 * SENTENCES :: 4]
    what = counted(len(sentences), "sentence")
    return sentences[::-1], f"{what} of the validation split of {split.name}"


def _sections(
    translator: Translator, sentences: Sequence[str], request: Request
) -> Iterator[Section]:
    # Imported here because the plotting library is slow to import.
    from textapps.interpret.sections.around import Read, around

    ids, _ = translator.search.encoded(tf.constant([utf8(text) for text in sentences]))

    def read_by(model: TranslationModel) -> Any:
        x = model.source_embedding(ids) * model.units**0.5
        return Read(x, np.count_nonzero(ids != PAD, axis=1).astype(np.int32))

    first = None
    try:
        before, begun = request.initial()
        first = (before.encoder, read_by(before))
    except RunError as error:
        begun = f"the first weights cannot be had: {error}"
    read = read_by(translator.model)
    own = ids[0, : int(read.lengths[0])]
    names = translator.preprocessor.source.decode(own[:, None]).numpy()
    pieces = [
        END if token == EOS else name.decode() for token, name in zip(own, names, strict=True)
    ]
    encoder = translator.model.encoder
    yield from why_sections(translator, sentences[0])
    yield from around(encoder, read, pieces, unit="token", first=first, begun=begun)
