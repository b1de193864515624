"""What can be set of a server."""

from pydantic import BaseModel, ConfigDict, Field


class Settings(BaseModel):
    """Where a server listens, and what it allows its clients.

    A body has at most `max_body_bytes` bytes and lists and objects nested `max_depth` deep.
    Batching, queue and deadline are those of `Batching`. With a `token` every route but
    /health/* and the files of the page wants it as `Authorization: Bearer`. After SIGTERM
    running requests have `drain_seconds` to finish. The directory is looked at every
    `poll_seconds`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    host: str = "127.0.0.1"
    port: int = Field(default=8501, ge=0, le=65535)
    max_batch_size: int = Field(default=64, ge=1)
    batch_timeout_ms: float = Field(default=0.0, ge=0)
    max_queue: int = Field(default=1000, ge=1)
    deadline_ms: float = Field(default=30_000.0, gt=0)
    max_body_bytes: int = Field(default=16 * 2**20, ge=1)
    max_depth: int = Field(default=32, ge=1)
    token: str | None = Field(default=None, min_length=1, repr=False)
    drain_seconds: int = Field(default=30, ge=0)
    poll_seconds: float = Field(default=1.0, gt=0)
