"""Spoken words for machines: tones that rise, that fall, that stay, and hisses in between."""

import csv
import struct
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

RATE_HZ = 8_000
CLIP_SECONDS = 0.3
WORDS = ("up", "größer, down", "stay")
OTHERS = ("hiss", "click")
SHAPES = {"up": (500, 1500), "größer, down": (1500, 500), "stay": (900, 900)}
ROWS = {"train": 30, "validation": 6, "test": 9}


def spoken(word: str, number: int) -> NDArray[np.float32]:
    """float32[samples] of at most 0.3 s at 8 kHz, every number another voice."""
    drawn = np.random.RandomState(1_000 * len(word) + number)
    samples = drawn.randint(1_500, 2_300)
    if word in SHAPES:
        start, end = SHAPES[word]
        hertz = np.linspace(start, end, samples) * drawn.uniform(0.9, 1.1)
        sound = np.sin(2 * np.pi * np.cumsum(hertz) / RATE_HZ + drawn.uniform(0, 6))
    elif word == "hiss":
        sound = drawn.normal(size=samples)
    else:
        sound = (np.arange(samples) % drawn.randint(150, 250) < 5) * 1.0
    sound *= np.hanning(samples) * drawn.uniform(0.2, 0.6)
    return (sound + 0.002 * drawn.normal(size=samples)).astype(np.float32)


def siren(number: int) -> NDArray[np.float32]:
    """float32[samples]: a tone that rises and falls twice, which no training has heard."""
    drawn = np.random.RandomState(9_000 + number)
    samples = drawn.randint(1_700, 2_300)
    hertz = 1_000 - 600 * np.cos(4 * np.pi * np.arange(samples) / samples) * drawn.uniform(0.9, 1.1)
    sound = np.sin(2 * np.pi * np.cumsum(hertz) / RATE_HZ + drawn.uniform(0, 6))
    sound *= np.hanning(samples) * drawn.uniform(0.2, 0.6)
    return (sound + 0.002 * drawn.normal(size=samples)).astype(np.float32)


def noise(seed: int = 5) -> NDArray[np.float32]:
    """float32[samples] of 12 s of background."""
    drawn = np.random.RandomState(seed)
    return (0.02 * drawn.normal(size=12 * RATE_HZ)).astype(np.float32)


def wav_bytes(waveform: NDArray[np.float32], rate_hz: int = RATE_HZ) -> bytes:
    """A WAV file of 16 bits."""
    pcm = np.clip(np.rint(waveform * 32_768), -32_768, 32_767).astype("<i2").tobytes()
    layout = struct.pack("<HHIIHH", 1, 1, rate_hz, 2 * rate_hz, 2, 16)
    head = b"WAVEfmt " + struct.pack("<I", 16) + layout + b"data" + struct.pack("<I", len(pcm))
    return b"RIFF" + struct.pack("<I", len(head) + len(pcm)) + head + pcm


def write_words(folder: Path) -> Path:
    """A table of clips with splits and speakers, and a folder of background noise beside it."""
    table = folder / "words.csv"
    with table.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["path", "label", "split", "speaker"])
        for place, word in enumerate((*WORDS, *OTHERS)):
            (folder / str(place)).mkdir(parents=True)
            number = 0
            for split, count in ROWS.items():
                for _ in range(count if word in WORDS else count // 3):
                    path = folder / str(place) / f"{number}.wav"
                    path.write_bytes(wav_bytes(spoken(word, number)))
                    row = (path.relative_to(folder), word, split, f"{split}-{number % 4}")
                    writer.writerow(row)
                    number += 1
    (folder / "_background_noise_").mkdir()
    (folder / "_background_noise_" / "room.wav").write_bytes(wav_bytes(noise()))
    return table
