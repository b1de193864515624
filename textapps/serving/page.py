"""The web page: the files under page/, read once.

Starlette's StaticFiles would tag a file by its time and size, which an image built reproducibly
keeps when the content changes, take content types from the machine's own table, and serve whatever
comes into the directory later.
"""

import hashlib
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

_DIRECTORY = Path(__file__).with_name("page")
_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}

# The page needs nothing from elsewhere, and no markup of others can run or send anything.
_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "connect-src 'self'",
        "media-src blob:",  # to hear a recording
        "form-action 'none'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
_HEADERS = {
    "content-security-policy": _POLICY,
    "permissions-policy": "microphone=(self), camera=(), geolocation=()",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "cache-control": "no-cache",  # browsers keep a file and ask whether its tag is still right
}


def page_routes() -> list[Route]:
    """A route for every file of the page: `/` for index.html, `/page/<path>` for the others.

    Files that come later have none, and no path leads out of the directory.
    """
    routes = []
    for path in sorted(_DIRECTORY.rglob("*")):
        if path.suffix in _TYPES and path.is_file():
            name = path.relative_to(_DIRECTORY).as_posix()
            url = "/" if name == "index.html" else f"/page/{name}"
            routes.append(_route(url, path.read_bytes(), _TYPES[path.suffix]))
    return routes


def _route(url: str, body: bytes, content_type: str) -> Route:
    tag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    headers = {**_HEADERS, "etag": tag}

    async def answer(request: Request) -> Response:
        known = request.headers.get("if-none-match", "")
        if tag in (part.strip().removeprefix("W/") for part in known.split(",")):
            return Response(status_code=304, headers=headers)
        return Response(body, headers={**headers, "content-type": content_type})

    return Route(url, answer)
