"""The settings of a server.

Each field with a description becomes an option of `textapps serve`.
"""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from textapps.serving.batching import Batching


def _field(default: Any, description: str, **bounds: Any) -> Any:
    return Field(default=default, description=description, **bounds)


class Settings(BaseModel):
    """Where a server listens, what clients may do, and how requests share model calls."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    host: str = _field(
        "127.0.0.1", "The address to listen on; 0.0.0.0 for all addresses of the machine."
    )
    port: int = _field(8501, "The port to listen on, 0 for any that is free.", ge=0, le=65535)
    grpc_port: int = _field(
        0,
        "The port to listen on for gRPC, 0 for none; TensorFlow Serving's is 8500.",
        ge=0,
        le=65535,
    )
    batching: bool = _field(
        True, "Share model calls between requests if the rows of the model are independent."
    )
    batch: tuple[str, ...] = _field(
        (),
        "Share calls between requests to this model too: its rows are independent, although it is "
        "no export of textapps; repeatable.",
    )
    batch_all: bool = Field(default=False)
    max_batch_size: int = _field(64, "Most rows in a shared model call.", ge=1)
    batch_timeout_ms: float = _field(
        0.0, "How long a request waits for others to share its call.", ge=0
    )
    max_queue: int = _field(
        1000, "Requests that may wait for each signature; further ones get 503.", ge=1
    )
    deadline_ms: float = _field(
        30_000.0, "A request that has no answer after this time gets 504.", gt=0
    )
    max_body_mb: float = _field(16.0, "Largest body of a request; a larger one gets 413.", gt=0)
    max_call_megabytes: float = _field(
        1024.0,
        "Most memory that a model call may need, estimated; a larger request gets 400.",
        gt=0,
    )
    max_answer_mb: float = _field(
        100.0, "Largest body of an answer; a request whose answer is larger gets 400.", gt=0
    )
    max_depth: int = Field(default=32, ge=1)
    token: str | None = Field(default=None, min_length=1, repr=False)
    allowed_host: tuple[str, ...] = _field(
        (),
        "A host name that clients may use besides localhost, if the server listens on a loopback "
        "address; repeatable.",
    )
    cors_origin: tuple[str, ...] = _field(
        (),
        "A site whose pages may send requests, such as https://example.org, or * for all; those of "
        "other sites get 403. Repeatable.",
    )
    proxy_headers: bool = _field(
        False, "Trust X-Forwarded-For and X-Forwarded-Host, for a server behind a proxy."
    )
    write_timeout: float = _field(
        30.0, "Seconds after which a client that does not read its answer is disconnected.", gt=0
    )
    verify_files: bool = _field(
        True, "Do not load a version whose files do not match the checksums in its manifest."
    )
    compiled: bool = _field(
        True,
        "Have XLA compile the signatures of exports that were made for it, in the background after "
        "a version is loaded.",
    )
    intra_op_threads: int = _field(
        0,
        "Threads that may share the work of one TensorFlow operation; 0 for as many as "
        "TF_NUM_INTRAOP_THREADS says, else one for each core.",
        ge=0,
    )
    ready: Literal["any", "all"] = _field(
        "any",
        "Whether /health/ready needs any model to be loaded, with none still loading, or all.",
    )
    versions: int = _field(
        1, "How many of the newest versions of each model to serve, to compare them.", ge=1
    )
    log_inputs: bool = _field(False, "Log the inputs of requests whose model call fails.")
    drain_seconds: int = _field(
        30, "Time that running requests have to finish after SIGTERM.", ge=0
    )
    poll_seconds: float = Field(default=1.0, gt=0)

    @property
    def max_body_bytes(self) -> int:
        """The largest body of a request."""
        return max(1, round(self.max_body_mb * 2**20))

    @property
    def max_answer_bytes(self) -> int:
        """The largest body of an answer."""
        return max(1, round(self.max_answer_mb * 2**20))

    @property
    def max_held_bytes(self) -> int:
        """The most that large bodies and answers of all requests may take."""
        return 16 * (self.max_body_bytes + self.max_answer_bytes)

    @property
    def sharing(self) -> Batching:
        """The settings of the batchers."""
        return Batching(
            max_batch_size=self.max_batch_size,
            batch_timeout_ms=self.batch_timeout_ms,
            max_queue=self.max_queue,
            deadline_ms=self.deadline_ms,
            max_call_bytes=round(self.max_call_megabytes * 2**20),
            enabled=self.batching,
            models=frozenset(self.batch),
            all_models=self.batch_all,
        )
