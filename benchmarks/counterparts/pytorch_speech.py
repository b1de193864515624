"""A recogniser of commands in PyTorch, as its users write it.

Log-mel spectrogram, a stem of plain or separable convolutions, one bidirectional recurrent layer
with a residual, attention pooling.
"""

import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from benchmarks.suites.speech_sides import Ask, clips
from textapps.training.run_directory import RunDirectory

GATES = {"gru": ([1, 0, 2], nn.GRU), "lstm": ([0, 1, 2, 3], nn.LSTM), "simple_rnn": ([0], nn.RNN)}
"""Where each gate of PyTorch's stands among Keras's."""


def pytorch(run: str, scratch: str, batch: int, steps: int) -> Ask:
    """A side of `speech-speed`: the same network and the same step as textapps has."""
    with np.load(f"{scratch}/weights.npz") as file:
        arrays = dict(file)
    config = RunDirectory.open(Path(run)).config
    model = Recognizer(arrays, config["preprocessor"], config["stem"], config["backbone"])
    model.load(arrays)
    pcm, labels = (torch.tensor(each) for each in clips(run, batch))
    with torch.no_grad():
        logits = model.eval()(pcm[:1])[0].tolist()
    model.train()
    trainer = Trainer(model, config["training"], config["model"])

    def ask(question: str) -> dict[str, Any] | None:
        if question != "train":
            return None
        start = time.perf_counter()
        for _ in range(steps):
            trainer.step(pcm, labels.long())
        return {"seconds": time.perf_counter() - start, "logits": logits}

    return ask


class Recognizer(nn.Module):
    """int16[batch, samples] → float32[batch, classes]; the sizes are those of a configuration."""

    def __init__(self, arrays: Any, audio: Any, stem: Any, backbone: Any) -> None:
        super().__init__()
        if backbone["kind"] not in GATES or backbone["layers"] != 1:
            raise SystemExit("this benchmark is for a recurrent backbone with one block")
        if stem.get("channels") or stem["normalization"] != "batch":
            raise SystemExit("this benchmark is for a stem of convolutions over time")
        self.window = round(audio["sample_rate"] * audio["window_ms"] / 1_000)
        self.hop = round(audio["sample_rate"] * audio["hop_ms"] / 1_000)
        for name in ("mel", "mean", "deviation"):
            self.register_buffer(name, torch.tensor(arrays[name]))
        self.register_buffer("hann", torch.hann_window(self.window))
        units, self.kernel = backbone["units"], stem["kernel"]
        widths = [self.mel.shape[1]] + [units] * len(stem["strides"])
        self.convolutions = nn.ModuleList(
            convolution(width, units, self.kernel, stride, separable=stem["separable"])
            for width, stride in zip(widths, stem["strides"], strict=False)
        )
        self.strides = stem["strides"]
        self.norms = nn.ModuleList(nn.BatchNorm1d(units, 1e-3, 0.03) for _ in self.convolutions)
        self.stem_dropout = nn.Dropout(stem["dropout"])
        self.dropout = nn.Dropout(backbone["dropout"])
        self.gates, layer = GATES[backbone["kind"]]
        self.recurrent = layer(units, units // 2, batch_first=True, bidirectional=True)
        self.mixer_norm, self.norm = nn.LayerNorm(units, 1e-6), nn.LayerNorm(units, 1e-6)
        self.hidden, self.score = nn.Linear(units, units), nn.Linear(units, 1, bias=False)
        self.head_dropout = nn.Dropout(0.2)
        self.head = nn.Linear(units, arrays["head/bias"].shape[0])

    def forward(self, pcm: Any) -> Any:
        waveform = pcm.float() / 32_768
        size = 2 ** (self.window - 1).bit_length()
        windows = waveform.unfold(1, self.window, self.hop) * self.hann
        energies = torch.fft.rfft(windows, size).abs().square()
        x = ((energies @ self.mel + 1e-6).log() - self.mean) / self.deviation
        x = x.transpose(1, 2)
        before = (self.kernel - 1) // 2
        stages = zip(self.convolutions, self.norms, self.strides, strict=True)
        for convolve, norm, stride in stages:
            steps = -(-x.shape[2] // stride)
            padded = functional.pad(x, (before, self.kernel - 1 - before + stride - 1))
            y = functional.relu(norm(convolve(padded)[:, :, :steps]))
            x = x + y if stride == 1 and x.shape[1] == y.shape[1] else y
        x = self.stem_dropout(x.transpose(1, 2))
        x = self.norm(x + self.dropout(self.recurrent(self.mixer_norm(x))[0]))
        weights = self.score(torch.tanh(self.hidden(x))).softmax(dim=1)
        return self.head(self.head_dropout((x * weights).sum(dim=1)))

    def load(self, arrays: Any) -> None:
        """Takes over the weights of a `SpeechModel`, by their paths in it."""

        def put(target: Any, array: Any) -> None:
            assert tuple(target.shape) == array.shape, (target.shape, array.shape)
            with torch.no_grad():
                target.copy_(torch.tensor(np.ascontiguousarray(array)))

        pairs = zip(self.convolutions, self.norms, strict=True)
        for index, (each, norm) in enumerate(pairs):
            path = f"stem/convolution_{index}"
            if isinstance(each, nn.Sequential):
                depthwise, pointwise = each
                kernel = arrays[f"{path}/convolution/depthwise_kernel"]
                put(depthwise.weight, kernel.transpose(1, 2, 0))
                kernel = arrays[f"{path}/convolution/pointwise_kernel"]
                put(pointwise.weight, kernel.transpose(2, 1, 0))
            else:
                put(each.weight, arrays[f"{path}/convolution/kernel"].transpose(2, 1, 0))
            put(norm.weight, arrays[f"{path}/norm/gamma"])
            put(norm.bias, arrays[f"{path}/norm/beta"])
            put(norm.running_mean, arrays[f"{path}/norm/moving_mean"])
            put(norm.running_var, arrays[f"{path}/norm/moving_variance"])
        for way, suffix in (("forward", ""), ("backward", "_reverse")):
            (cell,) = {
                path.rpartition("/")[0]
                for path in arrays
                if path.startswith(f"backbone/block_0/mixer/{way}/")
            }
            for name, kernel in (("ih", "kernel"), ("hh", "recurrent_kernel")):
                target = getattr(self.recurrent, f"weight_{name}_l0{suffix}")
                put(target, self._gates(arrays[f"{cell}/{kernel}"].T))
            bias = arrays[f"{cell}/bias"]
            both = bias if bias.ndim == 2 else np.stack([bias, np.zeros_like(bias)])
            for name, values in zip(("ih", "hh"), both, strict=True):
                put(getattr(self.recurrent, f"bias_{name}_l0{suffix}"), self._gates(values))
        for layer, path in (
            (self.mixer_norm, "backbone/block_0/mixer_norm"),
            (self.norm, "backbone/norm"),
        ):
            put(layer.weight, arrays[f"{path}/gamma"])
            put(layer.bias, arrays[f"{path}/beta"])
        put(self.score.weight, arrays["pooling/score/kernel"].T)
        for layer, path in ((self.hidden, "pooling/hidden"), (self.head, "head")):
            put(layer.weight, arrays[f"{path}/kernel"].T)
            put(layer.bias, arrays[f"{path}/bias"])

    def _gates(self, array: Any) -> Any:
        parts = np.split(array, len(self.gates))
        return np.concatenate([parts[place] for place in self.gates])


def convolution(inputs: int, units: int, kernel: int, stride: int, *, separable: bool) -> nn.Module:
    """float32[batch, inputs, time] → float32[batch, units, steps], without padding."""
    if not separable:
        return nn.Conv1d(inputs, units, kernel, stride, bias=False)
    return nn.Sequential(
        nn.Conv1d(inputs, inputs, kernel, stride, groups=inputs, bias=False),
        nn.Conv1d(inputs, units, 1, bias=False),
    )


class Trainer:
    """AdamW with clipped gradients and averaged weights."""

    def __init__(self, model: Recognizer, training: Any, head: Any) -> None:
        model.head_dropout.p = head["head_dropout"]
        self.model = model
        self.weights = list(model.parameters())
        self.optimizer = torch.optim.AdamW(
            [
                {"params": [w for w in self.weights if w.dim() > 1]},
                {"params": [w for w in self.weights if w.dim() < 2], "weight_decay": 0.0},
            ],
            training["learning_rate"],
            weight_decay=training["weight_decay"],
        )
        self.loss = nn.CrossEntropyLoss(label_smoothing=head["label_smoothing"])
        self.clip_norm = training["clip_norm"]
        self.average = training["average"]
        self.averages = [weight.detach().clone() for weight in self.weights]

    def step(self, pcm: Any, labels: Any) -> None:
        """One update by int16[batch, samples], int64[batch]."""
        self.optimizer.zero_grad()
        self.loss(self.model(pcm), labels).backward()
        if self.clip_norm:
            nn.utils.clip_grad_norm_(self.weights, self.clip_norm)
        self.optimizer.step()
        with torch.no_grad():
            torch._foreach_lerp_(self.averages, self.weights, 1 - self.average)
