"""Generating text with PyTorch as its users write it: one character at a time, in Python.

The recurrent loop keeps its state; the transformer, which is nanoGPT's, reads its whole context
again for each character, as nanoGPT does.
"""

from typing import Any

import torch
from torch import nn

from benchmarks.counterparts.nanogpt_recipe import Transformer
from benchmarks.suites.generation_sides import CHARACTERS, SEED, TEMPERATURE, Ask, Generate, timed


def pytorch(scratch: str) -> Ask:
    """A side of `generation`."""

    def model_of(backbone: str, characters: int, **sizes: int) -> Generate:
        torch.manual_seed(0)
        model: Any = {"gru": Recurrent, "transformer": Rereading}[backbone](
            len(CHARACTERS), **sizes
        )
        model.eval()

        def generate(texts: int, characters: int) -> list[str]:
            ids = torch.tensor([[CHARACTERS.index(character) for character in SEED]] * texts)
            made, state = [], None
            with torch.no_grad():
                for _ in range(characters):
                    logits, state = model.step(ids, state)
                    ids = torch.multinomial((logits / TEMPERATURE).softmax(dim=-1), 1)
                    made.append(ids)
            rows = torch.cat(made, dim=1).tolist()
            return ["".join(CHARACTERS[index] for index in row) for row in rows]

        return generate

    return timed(model_of)


class Recurrent(nn.Module):
    """Embedding, GRU and a last layer."""

    def __init__(self, vocabulary: int, units: int, layers: int = 1) -> None:
        super().__init__()
        self.embedding = nn.Embedding(vocabulary, units)
        self.gru = nn.GRU(units, units, layers, batch_first=True)
        self.head = nn.Linear(units, vocabulary)

    def step(self, ids: Any, state: Any) -> tuple[Any, Any]:
        """int64[batch, new] → float32[batch, vocabulary], the logits after them, and the state."""
        x, state = self.gru(self.embedding(ids), state)
        return self.head(x[:, -1]), state


class Rereading(Transformer):
    """A transformer whose state is the text so far."""

    def step(self, ids: Any, text: Any) -> tuple[Any, Any]:
        """int64[batch, new] → float32[batch, vocabulary], the logits after them, and the text."""
        text = ids if text is None else torch.cat([text, ids], dim=1)
        return self.logits(self.features(text[:, -self.context :])[:, -1]), text
