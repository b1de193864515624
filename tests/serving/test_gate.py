"""Who may ask: hosts, sites, tokens, proxies."""

import io
import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.serving.asking import Asker, Loaded, error_of
from textapps.serving.access_log import AccessLog
from textapps.serving.app import create_app
from textapps.serving.repository import Repository
from textapps.serving.settings import Settings

PREDICT = "/v1/models/lengths:predict"
GOOD = {"instances": ["ab"]}


@pytest.fixture(scope="module")
def repository(loaded: Loaded) -> Repository:
    return loaded("lengths")


def post(repository: Repository, headers: dict[str, str], **settings: Any) -> httpx.Response:
    ask = Asker(create_app(Settings(**settings), repository))
    return ask("POST", PREDICT, json=GOOD, headers=headers)


@pytest.mark.parametrize(
    ("host", "settings", "allowed"),
    [
        ("localhost", {}, True),
        ("LocalHost:8501", {}, True),
        ("127.0.0.1:8501", {}, True),
        ("[::1]:8501", {}, True),
        ("models.localhost", {}, True),
        ("evil.example", {}, False),
        ("evil.example:8501", {}, False),
        ("localhost.evil.example", {}, False),
        ("192.168.0.7", {}, False),
        ("192.168.0.7", {"host": "127.0.0.2"}, False),
        ("evil.example", {"host": "localhost"}, False),
        ("evil.example", {"host": "::1"}, False),
        ("models.example", {"allowed_host": ["Models.example", "other.example"]}, True),
        ("models.example:80", {"allowed_host": ["models.example"]}, True),
        ("evil.example", {"allowed_host": ["models.example"]}, False),
        ("localhost", {"allowed_host": ["models.example"]}, True),
        ("any.example", {"allowed_host": ["*"]}, True),
        ("any.example", {"host": "0.0.0.0"}, True),
        ("any.example", {"host": "192.168.0.7"}, True),
        ("evil.example", {"host": "0.0.0.0", "allowed_host": ["models.example"]}, False),
    ],
)
def test_hosts(repository: Repository, host: str, settings: dict[str, Any], allowed: bool) -> None:
    response = post(repository, {"host": host}, **settings)
    if allowed:
        assert response.status_code == 200
    else:
        assert error_of(response).startswith("the host name '")
        assert response.status_code == 403


@pytest.mark.parametrize(
    ("origin", "cors_origin", "allowed"),
    [
        ("http://localhost:8501", [], True),  # the page of this server
        ("https://localhost:8501", [], True),  # behind a proxy
        ("http://localhost", [], False),
        ("http://localhost:3000", [], False),
        ("http://elsewhere.example", [], False),
        ("null", [], False),
        ("", [], False),
        ("http://[", [], False),
        ("http://elsewhere.example", ["http://elsewhere.example"], True),
        ("http://elsewhere.example", ["http://elsewhere.example/"], True),
        ("https://elsewhere.example", ["http://elsewhere.example"], False),
        ("http://elsewhere.example", ["*"], True),
        ("null", ["*"], True),
    ],
)
@pytest.mark.parametrize("content_type", ["application/json", "text/plain"])
def test_sites(
    repository: Repository, origin: str, cors_origin: list[str], allowed: bool, content_type: str
) -> None:
    headers = {"host": "localhost:8501", "origin": origin, "content-type": content_type}
    response = post(repository, headers, cors_origin=cors_origin)
    if allowed:
        assert response.status_code == 200
    else:
        assert error_of(response).startswith("requests from pages of other sites are not allowed")
        assert response.status_code == 403
    given = response.headers.get("access-control-allow-origin")
    assert given == (origin if allowed and cors_origin else None)
    assert response.headers.get("vary") == ("Origin" if cors_origin else None)


def test_a_browser_asks_first_what_an_allowed_site_may_send(repository: Repository) -> None:
    settings = Settings(cors_origin=("http://site.example",), token="secret")
    ask = Asker(create_app(settings, repository))
    asked = {"access-control-request-method": "POST", "origin": "http://site.example"}
    response = ask("OPTIONS", PREDICT, headers=asked)
    assert (response.status_code, response.content) == (200, b"")
    assert response.headers["access-control-allow-origin"] == "http://site.example"
    assert "authorization" in response.headers["access-control-allow-headers"]
    refused = ask("OPTIONS", PREDICT, headers={**asked, "origin": "http://other.example"})
    assert refused.status_code == 403
    wanted = ask("POST", PREDICT, json=GOOD, headers={"origin": "http://site.example"})
    assert wanted.status_code == 401
    assert wanted.headers["access-control-allow-origin"] == "http://site.example"


@pytest.mark.parametrize(
    ("hosts", "version", "status"),
    [
        ([b"localhost"], "1.1", 200),
        ([], "1.1", 400),
        ([b"localhost", b"localhost"], "1.1", 400),
        ([b"localhost", b"evil.example"], "1.0", 400),
        ([], "1.0", 200),
    ],
)
def test_the_number_of_hosts(
    repository: Repository, hosts: list[bytes], version: str, status: int
) -> None:
    ask = Asker(create_app(Settings(), repository))
    headers = [(b"host", host) for host in hosts]
    found, sent, body = ask.raw("GET", "/v1/models", b"", headers=headers, http_version=version)
    assert found == status
    if status == 400:
        assert json.loads(body)["error"] == f"the request has {len(hosts) or 'no'} Host headers"
        assert sent["connection"] == "close"


@pytest.mark.parametrize(
    ("forwarded", "believed", "client"),
    [
        ("10.1.2.3", False, "127.0.0.1"),
        ("10.1.2.3", True, "10.1.2.3"),
        ("6.6.6.6, 10.1.2.3", True, "10.1.2.3"),  # the client may have sent the first
        ("nonsense", True, "127.0.0.1"),
        ("2001:db8::1", True, "2001:db8::1"),
    ],
)
def test_the_address_of_a_client(
    repository: Repository, forwarded: str, believed: bool, client: str
) -> None:
    stream = io.StringIO()
    settings = Settings(proxy_headers=believed)
    ask = Asker(create_app(settings, repository, access_log=AccessLog(stream)))
    ask("GET", "/v1/models", headers={"x-forwarded-for": forwarded})
    assert json.loads(stream.getvalue())["client"] == client


@pytest.mark.parametrize(("believed", "status"), [(False, 403), (True, 200)])
def test_the_host_that_a_proxy_was_asked_for(
    repository: Repository, believed: bool, status: int, tmp_path: Path
) -> None:
    settings = {"proxy_headers": believed, "allowed_host": ["models.example"]}
    headers = {"x-forwarded-host": "models.example", "origin": "https://models.example"}
    assert post(repository, headers, **settings).status_code == status
