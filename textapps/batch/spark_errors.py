"""Says in one line why a job of Spark failed; Spark itself needs a hundred."""

import re

from textapps.core import errors
from textapps.core.errors import TextappsError

_OURS = re.compile(r"^\s*textapps\.core\.errors\.(\w+): (.*)$", re.MULTILINE)
_MISSING = re.compile(r"ModuleNotFoundError: No module named '(\w+)")
_UNSEEN = re.compile(r"FileNotFoundError: .*'(.*)'")
_MEMORY = re.compile(
    r"OutOfMemoryError|MemoryError|bad_alloc|worker exited unexpectedly|exit code 137"
    r"|ExecutorLostFailure|\bOOM"
)
_SUBMIT = re.compile(
    r"^(?:Error: |Exception in thread .*?(?:Exception|Error): )(.*)$", re.MULTILINE
)
_WRAPPED = re.compile(r"^An error occurred while calling .*\n: (?:[\w.$]+: )?")
_NOISE = re.compile(r"^\[\w+(\.\w+)*\] ")


def explained(error: Exception, log: str = "") -> TextappsError:
    """The error that a worker raised, or what Spark says, in one line and with a remedy.

    Args:
        error: what Spark's Python raised.
        log: what its Java process wrote, if it did not start.

    >>> explained(ValueError("… (executor 1): java.lang.OutOfMemoryError: Java heap space")).args
    ('a worker of Spark ran out of memory or was killed: give it more, ... smaller --batch-size',)
    """
    if isinstance(error, TextappsError):
        return error
    text = str(error)
    if found := _OURS.search(text):
        kind: type[TextappsError] = getattr(errors, found[1], TextappsError)
        return kind(found[2])
    if found := _MISSING.search(text):
        return TextappsError(
            f"the Python of Spark's workers has no {found[1]}: set PYSPARK_PYTHON to one in which "
            "textapps[spark] is installed, or send one with `-- --archives`"
        )
    if found := _UNSEEN.search(text):
        return TextappsError(
            f"a worker of Spark does not see {found[1]}: give paths on a disk that all machines "
            "share, or URIs that Spark reads, such as hdfs:// or s3a://"
        )
    if _MEMORY.search(text):
        return TextappsError(
            "a worker of Spark ran out of memory or was killed: give it more, as in `-- --conf "
            "spark.executor.memory=2g`, run fewer at a time on a machine (spark.task.cpus), or "
            "choose a smaller --batch-size"
        )
    if "masters are unresponsive" in log:
        return TextappsError("Spark failed: no master answers at the URL of --master")
    if found := _SUBMIT.search(log):
        return TextappsError(f"Spark did not start: {found[1]}")
    return TextappsError(f"Spark failed: {first_sentence(text) or type(error).__name__}")


def first_sentence(text: str) -> str:
    """What a text of Spark says first, without the name of its kind of error.

    >>> first_sentence("[PATH_NOT_FOUND] Path does not exist: file:/a. SQLSTATE: 42K03")
    'Path does not exist: file:/a'
    >>> first_sentence("An error occurred while calling o8.a.\\n: java.io.IOException: Disk full")
    'Disk full'
    """
    text = _WRAPPED.sub("", text.strip(), count=1)
    return _NOISE.sub("", text.partition("\n")[0].partition(". ")[0]).rstrip(".")
