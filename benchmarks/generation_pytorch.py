"""Generating text with PyTorch as its users write it: one character at a time, in Python.

Part of benchmarks.generation. The recurrent loop keeps its state; the transformer reads its whole
context again for each character, as nanoGPT does (https://github.com/karpathy/nanoGPT), written
from that description.
"""

from typing import Any

try:
    import torch
    from torch import nn
    from torch.nn import functional
except ImportError as error:
    raise SystemExit("this benchmark needs PyTorch: pip install torch") from error


class Recurrent(nn.Module):
    """Embedding, GRU and a last layer."""

    def __init__(self, vocabulary: int, units: int, layers: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(vocabulary, units)
        self.gru = nn.GRU(units, units, layers, batch_first=True)
        self.head = nn.Linear(units, vocabulary)

    def forward(self, ids: Any, state: Any) -> tuple[Any, Any]:
        """int64[batch, time], state → float32[batch, time, vocabulary], state."""
        x, state = self.gru(self.embedding(ids), state)
        return self.head(x), state

    @torch.no_grad()
    def generate(self, ids: Any, characters: int, temperature: float) -> Any:
        """int64[batch, time] → int64[batch, characters]."""
        logits, state = self(ids, None)
        made = []
        for _ in range(characters):
            chances = functional.softmax(logits[:, -1] / temperature, dim=-1)
            new = torch.multinomial(chances, 1)
            made.append(new)
            logits, state = self(new, state)
        return torch.cat(made, dim=1)


class Block(nn.Module):
    def __init__(self, units: int, heads: int) -> None:
        super().__init__()
        self.first_norm, self.second_norm = nn.LayerNorm(units), nn.LayerNorm(units)
        self.attention = nn.Linear(units, 3 * units, bias=False)
        self.mixed = nn.Linear(units, units, bias=False)
        self.up, self.down = nn.Linear(units, 4 * units), nn.Linear(4 * units, units)
        self.heads = heads

    def forward(self, x: Any) -> Any:
        batch, time, units = x.shape
        heads = self.attention(self.first_norm(x)).view(batch, time, 3, self.heads, -1)
        mixed = functional.scaled_dot_product_attention(
            *heads.permute(2, 0, 3, 1, 4), is_causal=True
        )
        x = x + self.mixed(mixed.transpose(1, 2).reshape(batch, time, units))
        return x + self.down(functional.gelu(self.up(self.second_norm(x))))


class Transformer(nn.Module):
    """Learned positions, and `layers` blocks with causal attention."""

    def __init__(self, vocabulary: int, units: int, layers: int, heads: int, context: int) -> None:
        super().__init__()
        self.characters = nn.Embedding(vocabulary, units)
        self.positions = nn.Embedding(context, units)
        self.blocks = nn.Sequential(*(Block(units, heads) for _ in range(layers)))
        self.norm = nn.LayerNorm(units)
        self.head = nn.Linear(units, vocabulary)
        self.context = context

    def forward(self, ids: Any) -> Any:
        """int64[batch, time] → float32[batch, vocabulary], the logits after the last."""
        x = self.characters(ids) + self.positions.weight[: ids.shape[1]]
        return self.head(self.norm(self.blocks(x))[:, -1])

    @torch.no_grad()
    def generate(self, ids: Any, characters: int, temperature: float) -> Any:
        """int64[batch, time] → int64[batch, characters]."""
        begin = ids.shape[1]
        for _ in range(characters):
            chances = functional.softmax(self(ids[:, -self.context :]) / temperature, dim=-1)
            ids = torch.cat([ids, torch.multinomial(chances, 1)], dim=1)
        return ids[:, begin:]
