"""Generated text as it comes, through the signatures `start` and `continue`."""

from collections.abc import AsyncIterator

import numpy as np

from textapps.savedmodel.errors import BadInput
from textapps.serving.model_version import ModelVersion
from textapps.serving.stream_request import StreamRequest

# A chunk takes a small share of a second on one core, and a call's own cost is small beside it.
CHUNK_CHARACTERS = 32


class TextStream:
    """One generation: the same text as the signature `generate` gives, in chunks."""

    def __init__(self, version: ModelVersion, request: StreamRequest) -> None:
        """Raises BadInput for a model that does not generate step by step."""
        for name in ("start", "continue"):
            if name not in version.signatures:
                raise BadInput(f"model '{version.name}' does not stream: no signature '{name}'")
        self._version = version
        self._request = request
        self._continue = version.signatures["continue"]
        self._carried: dict[str, np.ndarray] = {}

    async def start(self) -> None:
        """Read the seed. Raises as `ModelVersion.predict`."""
        seed = np.array([self._request.seed], dtype=object)
        self._carried = await self._version.predict("start", {"seed": seed})

    async def chunks(self) -> AsyncIterator[str]:
        """The text, in pieces that are not empty. Raises as `ModelVersion.predict`."""
        left = self._request.length
        stop = self._request.stop
        held = ""  # the beginning of what may turn out to be the stop text
        while left:
            asked = min(left, CHUNK_CHARACTERS)
            text = await self._advance(asked)
            left = left - asked if len(text) == asked else 0  # a shorter one is the last
            held += text
            if stop is not None and stop in held:
                held = held[: held.index(stop)]
                break
            ready = len(held) - (_overlap(held, stop) if stop is not None else 0)
            if ready:
                yield held[:ready]
                held = held[ready:]
        if held:
            yield held

    async def _advance(self, length: int) -> str:
        values = {**self._request.model_dump(), "length": length}
        outputs = await self._version.predict(
            "continue",
            {
                name: np.array([values[name]], dtype=spec.dtype)
                if name in values
                else self._carried[name]
                for name, spec in self._continue.inputs.items()
            },
        )
        text: bytes = outputs.pop("text")[0]
        self._carried = outputs
        return text.decode(errors="replace")


def _overlap(text: str, stop: str) -> int:
    """How many characters at the end of `text` are the beginning of `stop`.

    >>> _overlap("a b", "b c"), _overlap("abab", "abac"), _overlap("ab", "c")
    (1, 2, 0)
    """
    longest = min(len(text), len(stop) - 1)
    return next((size for size in range(longest, 0, -1) if text.endswith(stop[:size])), 0)
