"""What can be seen inside a generator."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from textapps.core.counted import counted
from textapps.core.errors import DataError, RunError
from textapps.core.notices import notice
from textapps.core.tokens import FIRST
from textapps.interpret.request import Request
from textapps.interpret.section import Section, Seen
from textapps.interpret.stages import Stages
from textapps.preprocessing.characters import normal_text
from textapps.tasks.generate.data import encode_from_start, load
from textapps.tasks.generate.model import LanguageModel
from textapps.tasks.generate.predictor import LOGGER, TextGenerator
from textapps.training.history import read_history

SHORTEST = 3  # characters
CONNECTED = 240  # characters whose connections are shown
REACH = 100  # characters that each of them looks back
POSITIONS_BEFORE = 64  # of the untrained model, whose gradients differ less from each other


def inspect(generator: TextGenerator, request: Request) -> Seen:
    """The sections on a text: its gradients, connections, states, units and the unrolled network.

    Raises:
        DataError: the text has fewer than three characters, or there is none and the validation
            data cannot be read.
    """
    text, looked_at = _text_of(generator, request)
    if unknown := generator.preprocessor.unknown(text):
        LOGGER.warning("never seen in training, read as unknown: %s", ", ".join(map(repr, unknown)))
    return Seen(looked_at, _sections(generator, text, request))


def stages_of(model: LanguageModel) -> Stages:
    """The model in its parts."""
    return Stages(model.embedding, model.backbone, model.logits)


def _text_of(generator: TextGenerator, request: Request) -> tuple[str, str]:
    """The text to look at, and what it is."""
    if request.inputs:
        whole, what = "\n".join(request.inputs), "the text given"
    else:
        corpus = load(generator.config, ("validation",))[0]
        whole, what = corpus.text, f"the validation text of {corpus.name}"
    whole = normal_text(whole, generator.preprocessor.form)
    if len(whole) < SHORTEST:
        raise DataError(
            f"{whole!r} has {counted(len(whole), 'character')}: give a text of {SHORTEST} or more"
        )
    if len(whole) > request.characters:
        cut = f"the first {request.characters:,} of {len(whole):,} characters of {what}"
        if request.inputs:
            notice("looks at %s; --characters N looks at more", cut)
        what = cut
    else:
        what += f", {counted(len(whole), 'character')}"
    return whole[: request.characters], what


def _sections(generator: TextGenerator, text: str, request: Request) -> Iterator[Section]:
    # Imported here because the plotting library is slow to import.
    from textapps.interpret.activations import block_outputs, traces
    from textapps.interpret.connectivity import connectivity
    from textapps.interpret.heads import self_attention
    from textapps.interpret.properties import properties_of
    from textapps.interpret.sections import states
    from textapps.interpret.sections.connected import connectivity_section
    from textapps.interpret.sections.meanings import units_section

    stages = stages_of(generator.model)
    ids = encode_from_start(generator.preprocessor, text)
    yield _gradient(generator, stages, ids, request)
    norms = connectivity(stages, ids[: CONNECTED + 1], REACH)
    yield connectivity_section(norms, text[:CONNECTED], REACH)
    embedded = stages.embed(ids[None])
    if stages.recurrent:
        found = [trace.after_first() for trace in traces(stages.backbone, embedded)]
        yield states.state_section(found, text)
        names, units = states.units_of(found)
    else:
        yield states.no_state_section()
        short = embedded[:, 1 : states.ATTENTION_CHARACTERS + 1]
        blocks = self_attention(stages.backbone, short)
        yield states.attention_section(blocks, text[: states.ATTENTION_CHARACTERS])
        outputs = block_outputs(stages.backbone, embedded)
        names = [f"block {n} unit {i}" for n, o in enumerate(outputs, 1) for i in range(o.shape[1])]
        units = np.concatenate(outputs, axis=1)[1:]
    yield units_section(names, units, properties_of(text, request.properties), text)
    yield from _unrolled(generator, stages, text, request)


def _gradient(
    generator: TextGenerator, stages: Stages, ids: NDArray[np.int32], request: Request
) -> Section:
    from textapps.interpret.gradients import gradient_by_distance
    from textapps.interpret.sections.gradient import gradient_section

    before = None
    try:
        model, begun = request.initial()
        few = min(request.positions, POSITIONS_BEFORE)
        before = gradient_by_distance(stages_of(model), ids, request.distance, few)
    except RunError as error:
        begun = f"the first weights cannot be had: {error}"
    return gradient_section(
        gradient_by_distance(stages, ids, request.distance, request.positions),
        before,
        begun=begun,
        clip_norm=generator.config.training.clip_norm,
        history=read_history(generator.run),
    )


def _unrolled(
    generator: TextGenerator, stages: Stages, text: str, request: Request
) -> Iterator[Section]:
    from textapps.interpret.lesson import train_lesson
    from textapps.interpret.sections.unrolled import STEPS, no_unrolled_section, unrolled_of

    kind, recurrent = generator.config.backbone.kind, stages.recurrent
    if recurrent:
        ids = encode_from_start(generator.preprocessor, text[:STEPS])
        symbols = {FIRST + i: t for i, t in enumerate(generator.preprocessor.vocabulary.tokens)}
        names = [symbols.get(number, "�") for number in range(FIRST + len(symbols))]
        what = f"The {kind} of this run over the beginning of the text."
        yield unrolled_of(stages, generator.model, ids, names, key="unrolled", what=what)
    else:
        yield no_unrolled_section(
            "A transformer is not unrolled: it reads all positions at once, and its gradient takes "
            "no step through a state."
        )
    if request.lesson:
        word = text[:STEPS]
        letters = sorted(set(word))
        ids = np.array([letters.index(letter) for letter in word], np.int32)
        kind = kind if recurrent else "simple_rnn"
        model = train_lesson(kind, ids, len(letters))
        what = f"Two units of {kind}, trained on {word!r} alone, without residual or normalisation."
        yield unrolled_of(model.stages, model, ids, letters, key="lesson", what=what)
