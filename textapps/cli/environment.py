"""Environment variables that nothing reads."""

import difflib
from collections.abc import Iterable, Iterator

from textapps.core.config import ENVIRONMENT_PREFIX
from textapps.core.keys import keys_of
from textapps.core.names import PRETRAINING, TASKS
from textapps.tasks.registry import get_presets

# Those that are no keys of a configuration; the last one is for the tests of textapps.
_OTHERS = (
    "CACHE_DIR",
    "CACHE_FROM_MB",
    "CACHE_GB",
    "DEBUG",
    "MODELS_DIR",
    "PRETRAINED_DIR",
    "SERVE_TOKEN",
    "SHARED_DATA",
)


def unread_variables(names: Iterable[str]) -> Iterator[str]:
    """A message for each variable that begins like those of textapps and is none of any task.

    >>> list(unread_variables(["HOME", "TEXTAPPS_MODELS_DIR", "TEXTAPPS_TRANING__EPOCHS"]))
    ["environment variable TEXTAPPS_TRANING__EPOCHS is not read; did you mean \
'TEXTAPPS_TRAINING__EPOCHS'?"]
    """
    ours = sorted(name for name in names if name.startswith(ENVIRONMENT_PREFIX))
    known = {ENVIRONMENT_PREFIX + name for name in _OTHERS}
    if not set(ours) <= known:  # reading all configurations takes a while
        tasks = (*TASKS, *PRETRAINING.values())
        known |= {key.environment for task in tasks for key in keys_of(get_presets(task).config)}
    for name in ours:
        if name not in known:
            near = difflib.get_close_matches(name, sorted(known), n=1)
            hint = f"; did you mean '{near[0]}'?" if near else ""
            yield f"environment variable {name} is not read{hint}"
