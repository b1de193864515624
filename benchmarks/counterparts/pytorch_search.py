"""Beam search with PyTorch as its users write it: a loop in Python over a cache of keys and values.

The model is the translate task's transformer, layer by layer, so that with its weights the answers
are its answers. All beams of a sentence carry the memory; only the cache is put into the order of
the beams that go on. Without a cache, as in Joey NMT and in tutorials, every step reads all tokens
before it again.
"""

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from benchmarks.suites.search_sides import BEAMS, END, LENGTH_PENALTY, WEIGHTS, Ask, Find, timed

PADDING, START = 0, 2
NEVER = -float("inf")
LONGEST = 512
KERAS_NAMES = {
    nn.Linear: {"weight": "kernel", "bias": "bias"},
    nn.LayerNorm: {"weight": "gamma", "bias": "beta"},
    nn.Embedding: {"weight": "embeddings"},
}


def side(cached: bool, scratch: str, vocabulary: int, **sizes: int) -> Ask:
    return timed(finder(cached, scratch, vocabulary, **sizes), vocabulary)


cached, uncached = partial(side, True), partial(side, False)


def finder(cached: bool, scratch: str, vocabulary: int, **sizes: int) -> Find:
    model = Transformer(vocabulary, **sizes)
    with np.load(Path(scratch, WEIGHTS)) as arrays:
        model.load(arrays)
    model.eval()

    def find(source: Any, length: int) -> tuple[Any, Any]:
        with torch.inference_mode():
            ids, scores = model.search(torch.tensor(source), BEAMS, length, LENGTH_PENALTY, cached)
        return ids.numpy(), scores.numpy()

    return find


class Attention(nn.Module):
    """Projections of multi-head attention: one for all of `parts`, and that of the output."""

    def __init__(self, units: int, heads: int, parts: str) -> None:
        super().__init__()
        for part in parts.split():
            outputs = units * len(part.split("_"))
            self.add_module(part, nn.Linear(units, outputs, bias=False))
        self.output = nn.Linear(units, units, bias=False)
        self.heads = heads

    def project(self, part: str, x: Any) -> tuple[Any, ...]:
        """float[rows, time, units] → float[rows, heads, time, depth] for each word of the part."""
        rows, time, units = x.shape
        count = len(part.split("_"))
        projected = getattr(self, part)(x).view(rows, time, count, self.heads, units // self.heads)
        return tuple(projected.permute(2, 0, 3, 1, 4))

    def mix(self, queries: Any, keys: Any, values: Any, mask: Any) -> Any:
        """Attention and what comes out, float[rows, time, units]."""
        mixed = functional.scaled_dot_product_attention(queries, keys, values, attn_mask=mask)
        return self.output(mixed.transpose(1, 2).flatten(2))


class Block(nn.Module):
    """Self-attention, attention to the memory in a decoder, feed-forward; normalised before."""

    def __init__(self, units: int, heads: int, inner: int, decoder: bool) -> None:
        super().__init__()
        self.mixer = Attention(units, heads, "query_key_value")
        self.mixer_norm = nn.LayerNorm(units, eps=1e-6)
        self.decoder = decoder
        if decoder:
            self.cross_attention = Attention(units, heads, "query key_value")
            self.cross_attention_norm = nn.LayerNorm(units, eps=1e-6)
        self.feed_forward = nn.ModuleDict(
            {"expand": nn.Linear(units, inner), "contract": nn.Linear(inner, units)}
        )
        self.feed_forward_norm = nn.LayerNorm(units, eps=1e-6)

    def forward(
        self, x: Any, turns: Any, mask: Any, cache: Any = None, memory: Any = None
    ) -> tuple[Any, Any]:
        """float[rows, time, units] → the same, and the cache with these positions in it.

        `mask` is that of the source, which an encoder reads itself and a decoder has as `memory`.
        """
        queries, keys, values = self.mixer.project("query_key_value", self.mixer_norm(x))
        queries, keys = rotate(queries, turns), rotate(keys, turns)
        if cache is not None:
            keys = torch.cat([cache[0], keys], dim=2)
            values = torch.cat([cache[1], values], dim=2)
        own = causal(queries, keys) if self.decoder else mask
        x = x + self.mixer.mix(queries, keys, values, own)
        if self.decoder:
            (asked,) = self.cross_attention.project("query", self.cross_attention_norm(x))
            known, told = memory
            x = x + self.cross_attention.mix(asked, known, told, mask)
        wide = functional.gelu(self.feed_forward["expand"](self.feed_forward_norm(x)))
        return x + self.feed_forward["contract"](wide), (keys, values)


def causal(queries: Any, keys: Any) -> Any:
    """bool[time, past + time], what each position may see; None if it is everything."""
    time, total = queries.shape[2], keys.shape[2]
    return None if time == 1 else torch.ones(time, total, dtype=torch.bool).tril(total - time)


def rotate(x: Any, turns: Any) -> Any:
    """float[rows, heads, time, depth], turned by cosines and sines [time, depth / 2]."""
    first, second = x.chunk(2, dim=-1)
    cosines, sines = turns
    return torch.cat([first * cosines - second * sines, first * sines + second * cosines], dim=-1)


class Transformer(nn.Module):
    """Encoder and decoder of `layers` blocks each; the target's table is the last layer too."""

    def __init__(
        self, vocabulary: int, units: int, layers: int, heads: int, feed_forward: int
    ) -> None:
        super().__init__()
        self.source_embedding = nn.Embedding(vocabulary, units)
        self.target_embedding = nn.Embedding(vocabulary, units)
        for name in ("encoder", "decoder"):
            blocks = {
                f"block_{index}": Block(units, heads, feed_forward, name == "decoder")
                for index in range(layers)
            }
            self.add_module(name, nn.ModuleDict({**blocks, "norm": nn.LayerNorm(units, eps=1e-6)}))
        self.layers = layers
        self.scale = units**0.5
        half = units // heads // 2
        angles = torch.arange(LONGEST)[:, None] * 10_000.0 ** (-torch.arange(half) / half)
        self.turns = torch.cos(angles), torch.sin(angles)

    def load(self, arrays: Mapping[str, Any]) -> None:
        """Takes the weights of a `TranslationModel` by their paths in it."""
        for name, module in self.named_modules():
            for parameter, theirs in KERAS_NAMES.get(type(module), {}).items():
                target = getattr(module, parameter)
                if target is not None:
                    array = arrays[f"{name.replace('.', '/')}/{theirs}"]
                    array = array.T if theirs == "kernel" else array
                    target.data.copy_(torch.tensor(np.ascontiguousarray(array)))

    def encode(self, source: Any, mask: Any) -> Any:
        """int64[batch, source_time] → float[batch, source_time, units]."""
        x = self.source_embedding(source) * self.scale
        turns = [table[: source.shape[1]] for table in self.turns]
        for index in range(self.layers):
            x, _ = self.encoder[f"block_{index}"](x, turns, mask)
        return self.encoder["norm"](x)

    def step(self, ids: Any, position: int, cache: Any, memory: Any, mask: Any) -> tuple[Any, Any]:
        """int64[rows, time] → float[rows, vocabulary], the logits after them, and the cache."""
        x = self.target_embedding(ids) * self.scale
        turns = [table[position : position + ids.shape[1]] for table in self.turns]
        grown = []
        for index in range(self.layers):
            block = self.decoder[f"block_{index}"]
            x, entry = block(x, turns, mask, cache[index], memory[index])
            grown.append(entry)
        return self.decoder["norm"](x[:, -1]) @ self.target_embedding.weight.T, grown

    def search(
        self, source: Any, beams: int, length: int, exponent: float, cached: bool = True
    ) -> tuple[Any, Any]:
        """int64[batch, source_time] → the best answers int64[batch, length] and their scores.

        A score is log P / ((5 + tokens) / 6)^exponent. An answer of `length` tokens can only end;
        the search does when every sentence has as many answers as beams.
        """
        batch = len(source)
        mask = (source != PADDING)[:, None, None]
        encoded = self.encode(source, mask)
        memory = []
        for index in range(self.layers):
            attention = self.decoder[f"block_{index}"].cross_attention
            parts = attention.project("key_value", encoded)
            memory.append(tuple(part.repeat_interleave(beams, 0) for part in parts))
        mask = mask.repeat_interleave(beams, 0)
        nothing: Any = [None] * self.layers
        cache = nothing
        ids = torch.full((batch * beams, 1), START)
        scores = torch.full((batch, beams), NEVER)
        scores[:, 0] = 0.0
        answers = torch.full((batch, beams, length), PADDING)
        finished = torch.full((batch, beams), NEVER)
        offsets = beams * torch.arange(batch)[:, None]
        for step in range(length + 1):
            if cached:
                logits, cache = self.step(ids[:, -1:], step, cache, memory, mask)
            else:
                logits, _ = self.step(ids, 0, nothing, memory, mask)
            logits[:, :END] = NEVER
            gains = functional.log_softmax(logits, dim=-1)
            if step == length:
                gains[:, END + 1 :] = NEVER
            totals = (scores.view(-1, 1) + gains).view(batch, -1)
            best, places = totals.topk(2 * beams)
            parents, tokens = places // gains.shape[1], places % gains.shape[1]
            ends = tokens == END
            if ends.any():
                ended = best.masked_fill(~ends, NEVER) / ((6 + step) / 6) ** exponent
                made = ids.view(batch, beams, -1)[torch.arange(batch)[:, None], parents][..., 1:]
                answers = torch.cat([answers, functional.pad(made, (0, length - step))], dim=1)
                finished, order = torch.cat([finished, ended], dim=1).topk(beams)
                answers = answers[torch.arange(batch)[:, None], order]
                if (finished > NEVER).all():
                    break
            scores, order = best.masked_fill(ends, NEVER).topk(beams)
            rows = (parents.gather(1, order) + offsets).view(-1)
            ids = torch.cat([ids[rows], tokens.gather(1, order).view(-1, 1)], dim=1)
            if cached:
                cache = [tuple(part[rows] for part in entry) for entry in cache]
        return answers[:, 0], finished[:, 0]
