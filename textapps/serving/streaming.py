"""Generated text as it comes, through the signatures `start` and `continue`."""

from collections.abc import AsyncIterator, Mapping
from typing import Any

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from textapps.savedmodel.errors import BadInput
from textapps.serving.model_version import ModelVersion

# A chunk takes a small share of a second on one core, and a call's own cost is small beside it.
CHUNK_CHARACTERS = 32

_OPTIONS = ("temperature", "top_k", "top_p", "repetition_penalty", "random_seed")


class StreamRequest(BaseModel):
    """What to generate: `length` characters after `seed`, up to `stop` where it occurs."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    seed: str = ""
    length: int = Field(default=500, ge=1, le=100_000)
    temperature: float = Field(default=0.8, ge=0, le=100)
    top_k: int = Field(default=0, ge=0, le=2**31 - 1)
    top_p: float = Field(default=1.0, gt=0, le=1)
    repetition_penalty: float = Field(default=1.0, ge=1, le=100)
    random_seed: int = Field(default=0, ge=-(2**63), le=2**63 - 1)
    stop: str | None = Field(default=None, min_length=1)

    @classmethod
    def parse(cls, body: Mapping[str, Any], manifest: Mapping[str, Any]) -> "StreamRequest":
        """A request's body over the defaults in a manifest. Raises BadInput."""
        exported = manifest.get("decoding")
        defaults = {
            key: value
            for key, value in (exported if isinstance(exported, dict) else {}).items()
            if key in cls.model_fields and value is not None
        }
        try:
            return cls.model_validate({**defaults, **body})
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            key = ".".join(map(str, first["loc"]))
            raise BadInput(f"'{key}': {first['msg'][:1].lower()}{first['msg'][1:]}") from None


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
        options = {name: getattr(self._request, name) for name in _OPTIONS}
        values = {**options, "length": length}
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
