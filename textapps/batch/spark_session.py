"""Starts Spark, or says in one line what it lacks."""

import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from typing import TYPE_CHECKING

from textapps.batch.spark_errors import explained, first_sentence
from textapps.core.errors import ConfigurationError, TextappsError

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

JAVA = 17  # the oldest that Spark 4 runs on
_INSTALL = (
    f"install Java {JAVA} or newer (Debian, Ubuntu: apt install openjdk-17-jre-headless), or set "
    "JAVA_HOME"
)
_USUAL = {
    "spark.app.name": "textapps",
    "spark.ui.showConsoleProgress": "false",
    # Two to three times Spark's own: a lost executor costs several attempts, and no work is lost.
    "spark.task.maxFailures": "8",
    "spark.stage.maxConsecutiveAttempts": "12",
}
_LOCAL = {  # of a master that is this process: nothing listens on the network
    "spark.ui.enabled": "false",
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
}


def check_java() -> None:
    """Checks that Spark will find a Java that it runs on. TextappsError if not."""
    home = os.environ.get("JAVA_HOME")
    java = shutil.which("java", path=f"{home}/bin" if home else None)
    if java is None:
        where = f"JAVA_HOME={home} has none" if home else "none is installed"
        raise TextappsError(f"--runner spark needs Java, and {where}: {_INSTALL}")
    said = subprocess.run([java, "-version"], capture_output=True, text=True).stderr
    version = re.search(r'version "(?:1\.)?(\d+)', said)
    if version is None or int(version[1]) < JAVA:
        found = f"is Java {version[1]}" if version else "does not run"
        raise TextappsError(f"--runner spark needs Java {JAVA}, and {java} {found}: {_INSTALL}")


def check_pandas() -> None:
    """Checks that pyspark takes the pandas and pyarrow here. TextappsError if it does not."""
    from pyspark.sql.pandas.utils import (
        require_minimum_pandas_version,
        require_minimum_pyarrow_version,
    )

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", FutureWarning)  # it warns of versions that are too new
            require_minimum_pandas_version()
            require_minimum_pyarrow_version()
    except (ImportError, FutureWarning) as error:
        reason = first_sentence(str(error))
        raise TextappsError(f"{reason}: pip install 'textapps[spark]'") from None


@contextmanager
def spark_session(
    master: str | None, options: Sequence[str], *, verbose: bool = False
) -> Iterator["SparkSession"]:
    """A session of Spark, which ends with the block.

    Args:
        master: the URL of the cluster; None: that of `options`, of spark-submit, or this machine.
        options: those of spark-submit.
        verbose: leave Spark's own log on stderr; otherwise it is kept only if Spark fails.

    Raises:
        ConfigurationError: options that spark-submit, which has started this process, should get.
        TextappsError: Spark did not start.
    """
    from pyspark import SparkContext
    from pyspark.java_gateway import launch_gateway
    from pyspark.sql import SparkSession

    submitted = "PYSPARK_GATEWAY_PORT" in os.environ
    if submitted and (master or options):
        raise ConfigurationError("give --master and the options of Spark to spark-submit itself")
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    os.environ["PYSPARK_SUBMIT_ARGS"] = shlex.join(_arguments(master, options))
    with tempfile.TemporaryFile() as log:
        into = {} if verbose or submitted else {"stdout": log, "stderr": log}
        try:
            context = SparkContext(gateway=launch_gateway(popen_kwargs=into))
        except Exception as error:
            log.seek(0)
            raise explained(error, log.read().decode(errors="replace")) from error
        try:
            yield SparkSession(context)
        finally:
            context.stop()


def _arguments(master: str | None, options: Sequence[str]) -> list[str]:
    """What spark-submit is given; of two values for one key it takes the last."""
    defaults = dict(_USUAL)
    pairs = pairwise(["--master", master or "", *options])
    named = [value for name, value in pairs if name == "--master"][-1]
    if not named or named.startswith("local"):
        defaults |= _LOCAL
    confs = [word for key, value in defaults.items() for word in ("--conf", f"{key}={value}")]
    return [*confs, *(("--master", master) if master else ()), *options, "pyspark-shell"]
