"""The processes that train one model together, from TF_CONFIG."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from textapps.core.errors import ConfigurationError

VARIABLE = "TF_CONFIG"
JOBS = ("chief", "worker")  # in TensorFlow's order of ranks


@dataclass(frozen=True)
class Cluster:
    """The number of processes and the index of this one; 0 is the chief.

    >>> Cluster.of({"TF_CONFIG": '{"cluster": {"worker": ["a:1", "b:1"]}, '
    ...                          '"task": {"type": "worker", "index": 1}}'})
    Cluster(workers=2, index=1)
    """

    workers: int = 1
    index: int = 0

    @property
    def is_chief(self) -> bool:
        """Whether this process writes the run and reports to the user."""
        return self.index == 0

    @classmethod
    def of(cls, environ: Mapping[str, str] | None = None) -> Self:
        """The cluster of this environment; one process if TF_CONFIG is not set.

        Raises:
            ConfigurationError: TF_CONFIG is not valid.
        """
        text = (os.environ if environ is None else environ).get(VARIABLE, "")
        if not text.strip():
            return cls()
        try:
            config: Any = json.loads(text)
            if not config.get("cluster"):
                return cls()
            sizes = {job: len(hosts) for job, hosts in config["cluster"].items()}
            job, index = str(config["task"]["type"]), int(config["task"]["index"])
            if set(sizes) <= set(JOBS) and 0 <= index < sizes[job]:
                first = sizes["chief"] if job == "worker" and "chief" in sizes else 0
                return cls(sum(sizes.values()), first + index)
        except (ValueError, KeyError, TypeError, AttributeError):
            pass
        raise ConfigurationError(
            f"{VARIABLE} does not describe a cluster of workers and one task of it: "
            f"{text[:200]!r}; see docs/distributed.md, or try `textapps launch`"
        )
