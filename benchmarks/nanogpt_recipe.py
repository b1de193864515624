"""The small Transformer that nanoGPT trains on the characters of a text on a CPU, by the clock.

    python -m benchmarks.nanogpt_recipe --data-dir DIR --seconds 180 --out FILE.npz

Written from the description of https://github.com/karpathy/nanoGPT, its CPU settings for
characters: 4 layers of 4 heads, 128 wide, learned positions, context 64, batches of 12, no
dropout, no biases, the last layer tied to the embedding; AdamW (0.9, 0.99) with weight decay 0.1
on matrices, gradients clipped at 1, warm-up over 100 steps to 1e-3, then a cosine down to 1e-4.
Its 2,000 steps are exchanged for a time, at whose end the cosine ends. Prints one JSON object;
part of benchmarks.nanogpt.
"""

import argparse
import json
import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from textapps.datasets.config import CorpusConfig
from textapps.datasets.corpus.loader import load_corpora

try:
    import torch
    from torch import nn
    from torch.nn import functional
except ImportError as error:
    raise SystemExit("this benchmark needs PyTorch: pip install torch") from error

LAYERS, HEADS, WIDTH, CONTEXT, BATCH = 4, 4, 128, 64, 12
PEAK, LEAST, WARMUP = 1e-3, 1e-4, 100
STRIDE = 16  # so that all but the first characters are evaluated with 48 others or more before them
WINDOWS = 256  # evaluated at a time


class Block(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first_norm, self.second_norm = (nn.LayerNorm(WIDTH, bias=False) for _ in range(2))
        self.attention = linear(WIDTH, 3 * WIDTH)
        self.mixed = linear(WIDTH, WIDTH, paths=2 * LAYERS)
        self.up = linear(WIDTH, 4 * WIDTH)
        self.down = linear(4 * WIDTH, WIDTH, paths=2 * LAYERS)

    def forward(self, x: Any) -> Any:
        batch, steps, _ = x.shape
        heads = self.attention(self.first_norm(x)).view(batch, steps, 3, HEADS, WIDTH // HEADS)
        mixed = functional.scaled_dot_product_attention(
            *heads.permute(2, 0, 3, 1, 4), is_causal=True
        )
        x = x + self.mixed(mixed.transpose(1, 2).reshape(batch, steps, WIDTH))
        return x + self.down(functional.gelu(self.up(self.second_norm(x))))


class Recipe(nn.Module):
    """int64[batch, time] → logits float32[batch, time, vocabulary]."""

    def __init__(self, vocabulary: int) -> None:
        super().__init__()
        self.characters, self.positions = (nn.Embedding(n, WIDTH) for n in (vocabulary, CONTEXT))
        for embedding in (self.characters, self.positions):
            nn.init.normal_(embedding.weight, std=0.02)
        self.blocks = nn.Sequential(*(Block() for _ in range(LAYERS)))
        self.norm = nn.LayerNorm(WIDTH, bias=False)

    def forward(self, ids: Any) -> Any:
        x = self.characters(ids) + self.positions.weight[: ids.shape[1]]
        return functional.linear(self.norm(self.blocks(x)), self.characters.weight)

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
    model: Recipe, ids: Any, seconds: float, clock: Callable[[], float] = time.perf_counter
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


@torch.no_grad()
def evaluate(model: Recipe, ids: Any, stride: int) -> Any:
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


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", default="tiny_shakespeare")
    parser.add_argument("--data-dir")
    parser.add_argument("--split", type=float, default=0.9, help="share to train on (0.9)")
    parser.add_argument("--seconds", type=float, required=True, help="of training")
    parser.add_argument("--random-seed", type=int, default=0)
    parser.add_argument("--out", type=Path, required=True, help="where the nats go, as .npz")
    options = parser.parse_args(arguments)

    torch.manual_seed(options.random_seed)
    config = CorpusConfig(source=options.data, data_dir=options.data_dir, split=options.split)
    training, validation = load_corpora(config, ("train", "validation"))
    ids = {c: i for i, c in enumerate(sorted({*training.text, *validation.text, "\n"}))}
    learnt, evaluated = (
        torch.tensor([ids[c] for c in text]) for text in (training.text, "\n" + validation.text)
    )
    model = Recipe(len(ids))
    steps = train(model, learnt, options.seconds)
    nats = evaluate(model, evaluated, STRIDE)
    np.savez(options.out, nats=nats, sha256=np.array(validation.fingerprint))
    figures = {
        "steps": steps,
        "parameters": sum(weights.numel() for weights in model.parameters()),
        "nats_per_character": float(nats.mean(dtype=np.float64)),
        "nats_per_character_in_blocks": round(float(evaluate(model, evaluated, CONTEXT).mean()), 4),
        "pytorch": torch.__version__,
    }
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
