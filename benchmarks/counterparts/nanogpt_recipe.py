"""The small Transformer that nanoGPT trains on the characters of a text on a CPU, by the clock.

Written from the description of https://github.com/karpathy/nanoGPT, its CPU settings for
characters: 4 layers of 4 heads, 128 wide, learned positions, context 64, batches of 12, no
dropout, no biases, the last layer tied to the embedding; AdamW (0.9, 0.99) with weight decay 0.1
on matrices, gradients clipped at 1, warm-up over 100 steps to 1e-3, then a cosine down to 1e-4.
Instead of 2,000 steps it trains for a given time, at the end of which the cosine ends.
"""

import math
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from textapps.datasets.config import CorpusConfig
from textapps.datasets.corpus.loader import load_corpora

LAYERS, HEADS, WIDTH, CONTEXT, BATCH = 4, 4, 128, 64, 12
PEAK, LEAST, WARMUP = 1e-3, 1e-4, 100
STRIDE = 16  # so that all but the first characters are evaluated with 48 others or more before them
WINDOWS = 256  # evaluated at a time


class Block(nn.Module):
    """Attention and a feed-forward layer, both normalised before."""

    def __init__(self, width: int, heads: int, layers: int) -> None:
        super().__init__()
        self.first_norm, self.second_norm = (nn.LayerNorm(width, bias=False) for _ in range(2))
        self.attention = linear(width, 3 * width)
        self.mixed = linear(width, width, paths=2 * layers)
        self.up = linear(width, 4 * width)
        self.down = linear(4 * width, width, paths=2 * layers)
        self.heads = heads

    def forward(self, x: Any) -> Any:
        batch, steps, width = x.shape
        heads = self.attention(self.first_norm(x)).view(batch, steps, 3, self.heads, -1)
        mixed = functional.scaled_dot_product_attention(
            *heads.permute(2, 0, 3, 1, 4), is_causal=True
        )
        x = x + self.mixed(mixed.transpose(1, 2).reshape(batch, steps, width))
        return x + self.down(functional.gelu(self.up(self.second_norm(x))))


class Transformer(nn.Module):
    """int64[batch, time] → logits float32[batch, time, vocabulary]."""

    def __init__(
        self,
        vocabulary: int,
        units: int = WIDTH,
        layers: int = LAYERS,
        heads: int = HEADS,
        context: int = CONTEXT,
    ) -> None:
        super().__init__()
        self.characters, self.positions = (nn.Embedding(n, units) for n in (vocabulary, context))
        for embedding in (self.characters, self.positions):
            nn.init.normal_(embedding.weight, std=0.02)
        self.blocks = nn.Sequential(*(Block(units, heads, layers) for _ in range(layers)))
        self.norm = nn.LayerNorm(units, bias=False)
        self.context = context

    def features(self, ids: Any) -> Any:
        """float32[batch, time, units], from which the last layer makes logits."""
        return self.norm(self.blocks(self.characters(ids) + self.positions.weight[: ids.shape[1]]))

    def logits(self, features: Any) -> Any:
        """The last layer, tied to the embedding."""
        return functional.linear(features, self.characters.weight)

    def forward(self, ids: Any) -> Any:
        return self.logits(self.features(ids))

    def nats(self, ids: Any, targets: Any) -> Any:
        """float32[batch, time]."""
        logits = self(ids).flatten(0, 1)
        return functional.cross_entropy(logits, targets.flatten(), reduction="none").view_as(ids)


def linear(inputs: int, outputs: int, paths: int = 1) -> nn.Linear:
    """Without bias; begins the smaller, the more residual paths are added up, as in GPT-2."""
    layer = nn.Linear(inputs, outputs, bias=False)
    nn.init.normal_(layer.weight, std=0.02 / math.sqrt(paths))
    return layer


def learning_rate(step: int, elapsed: float, seconds: float, warm_at: float) -> float:
    """Of a step that begins when `elapsed` of `seconds` are over; the warm-up took `warm_at`."""
    if step < WARMUP:
        return PEAK * (step + 1) / WARMUP
    progress = (elapsed - warm_at) / (seconds - warm_at)
    return LEAST + (PEAK - LEAST) * (1 + math.cos(math.pi * progress)) / 2


def train(
    model: Transformer, ids: Any, seconds: float, clock: Callable[[], float] = time.perf_counter
) -> int:
    """Trains on int64[characters] for so long; returns the steps done."""
    matrices = [weights for weights in model.parameters() if weights.dim() > 1]
    others = [weights for weights in model.parameters() if weights.dim() == 1]
    groups = [{"params": matrices, "weight_decay": 0.1}, {"params": others, "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, betas=(0.9, 0.99))
    steps, warm_at, began = 0, 0.0, clock()
    while (elapsed := clock() - began) < seconds:
        if steps == WARMUP:
            warm_at = elapsed
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(steps, elapsed, seconds, warm_at)
        starts = torch.randint(len(ids) - CONTEXT, (BATCH, 1))
        rows = ids[starts + torch.arange(CONTEXT + 1)]
        optimizer.zero_grad()
        model.nats(rows[:, :-1], rows[:, 1:]).mean().backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        steps += 1
    return steps


def evaluate(model: Transformer, ids: Any, stride: int) -> Any:
    """The surprise at each character of int64[n + 1] but the first: float32[n].

    Windows of the context begin every `stride` characters, and each character counts where it
    has most of them before it; with the stride of the context these are blocks side by side.
    """
    n = len(ids) - 1
    size = min(CONTEXT, n)
    starts = torch.tensor(sorted({*range(0, n - size, stride), n - size}, reverse=True))
    nats = np.empty(n, np.float32)
    for some in starts.split(WINDOWS):  # the last first: what is written later has more before it
        positions = some[:, None] + torch.arange(size)
        found = model.nats(ids[positions], ids[positions + 1])
        for row, values in zip(positions, found, strict=True):
            nats[row] = values
    return nats


def recipe() -> Callable[[dict[str, Any]], dict[str, Any]]:
    """A side of `nanogpt`: asked {"data", "seconds", "out"}, it trains and writes its nats."""

    def ask(question: dict[str, Any]) -> dict[str, Any]:
        torch.manual_seed(0)
        config = CorpusConfig(**question["data"])
        training, validation = load_corpora(config, ("train", "validation"))
        ids = {c: i for i, c in enumerate(sorted({*training.text, *validation.text, "\n"}))}
        learnt, evaluated = (
            torch.tensor([ids[c] for c in text]) for text in (training.text, "\n" + validation.text)
        )
        model = Transformer(len(ids))
        steps = train(model, learnt, question["seconds"])
        with torch.no_grad():
            nats = evaluate(model, evaluated, STRIDE)
            in_blocks = evaluate(model, evaluated, CONTEXT)
        np.savez(question["out"], nats=nats, sha256=np.array(validation.fingerprint))
        return {
            "steps": steps,
            "parameters": sum(weights.numel() for weights in model.parameters()),
            "nats_per_character_in_blocks": round(float(in_blocks.mean()), 4),
            "pytorch": torch.__version__,
        }

    return ask
