import json

import pytest

from textapps.core.errors import ConfigurationError
from textapps.training.cluster import Cluster

HOSTS = ["a:1", "b:1", "c:1"]


def found(cluster: object, kind: str, index: object) -> Cluster:
    return Cluster.of(
        {"TF_CONFIG": json.dumps({"cluster": cluster, "task": {"type": kind, "index": index}})}
    )


def test_without_a_cluster_there_is_one_process() -> None:
    for environ in ({}, {"TF_CONFIG": ""}, {"TF_CONFIG": "{}"}, {"TF_CONFIG": '{"cluster": {}}'}):
        assert Cluster.of(environ) == Cluster(1, 0)
    assert Cluster().is_chief


def test_the_first_process_is_the_chief() -> None:
    assert found({"worker": HOSTS}, "worker", 0) == Cluster(3, 0)
    assert found({"worker": HOSTS}, "worker", 2) == Cluster(3, 2)
    assert found({"chief": ["d:1"], "worker": HOSTS}, "chief", 0).is_chief
    assert found({"chief": ["d:1"], "worker": HOSTS}, "worker", 0) == Cluster(4, 1)


@pytest.mark.parametrize(
    "environ",
    [
        "[1]",
        "{",
        '"worker"',
        json.dumps({"cluster": {"worker": HOSTS}}),
        json.dumps({"cluster": {"worker": HOSTS}, "task": {"type": "worker", "index": 3}}),
        json.dumps({"cluster": {"worker": HOSTS}, "task": {"type": "worker", "index": -1}}),
        json.dumps({"cluster": {"ps": HOSTS}, "task": {"type": "ps", "index": 0}}),
        json.dumps({"cluster": {"worker": 3}, "task": {"type": "worker", "index": 0}}),
    ],
)
def test_what_is_no_cluster_is_refused(environ: str) -> None:
    with pytest.raises(
        ConfigurationError, match=r"^TF_CONFIG does not describe a cluster.*textapps launch"
    ):
        Cluster.of({"TF_CONFIG": environ})
