"""Serves the pages to read. Each is made when it is first asked for, then kept."""

from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import falcon
import msgspec

import tradebook
from tradebook.errors import ApiError
from tradebook.web.envelope import ERRORS_PATH
from tradebook.web.pages.links import LINKS
from tradebook.web.pages.made import Made, made
from tradebook.web.tags import is_known

if TYPE_CHECKING:
    from tradebook.web.pages.description import Errors
    from tradebook.web.pages.rendering import Rendering

PATHS = (
    "/",
    "/docs",
    "/docs/{page}",
    "/docs/assets/{name}",
    ERRORS_PATH,
    "/llms.txt",
    "/favicon.svg",
    "/favicon.ico",
)
_POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_HEADERS = (("Content-Security-Policy", _POLICY), ("Referrer-Policy", "no-referrer"))
_ASK_AGAIN = "public, no-cache"
_FOR_A_DAY = "public, max-age=86400"
_FOR_EVER = "public, max-age=31536000, immutable"
"""For files with the hash of their content in their name."""


class Pages:
    """All pages, by what makes them."""

    def __init__(
        self,
        document: Callable[[], Mapping[str, Any]],
        errors: "Callable[[], Errors]",
        catalogue: Iterable[type[ApiError]],
    ) -> None:
        self._document, self._errors, self._catalogue = document, errors, catalogue

    @cached_property
    def _rendering(self) -> "Rendering":
        # Whoever asks for no page does not pay for templates: 50 ms and some megabytes.
        from tradebook.web.pages.rendering import Rendering  # noqa: PLC0415

        return Rendering(self._document(), self._errors(), self._catalogue, LINKS)

    def responders(self) -> Iterable[tuple[str, Any]]:
        """Return what answers at each path."""
        icon = Kept(_icon, _FOR_A_DAY)
        each = (
            Root(self._kept(lambda made_by: made_by.home()), Kept(self._links, _ASK_AGAIN)),
            self._kept(lambda made_by: made_by.introduction()),
            self._kept(lambda made_by, page: made_by.resource(page)),
            self._kept(lambda made_by, name: made_by.assets.get(name), _FOR_EVER),
            self._kept(lambda made_by: made_by.errors()),
            self._kept(lambda made_by: made_by.llms()),
            icon,
            icon,
        )
        return zip(PATHS, each, strict=True)

    def _kept(self, make: Callable[..., Made | None], cache_control: str = _ASK_AGAIN) -> "Kept":
        return Kept(lambda **parts: make(self._rendering, **parts), cache_control)

    def _links(self) -> Made:
        info = self._document()["info"]
        answer = {
            "name": info["title"],
            "version": tradebook.__version__,
            "description": info["description"],
            "links": {link.name: link.path for link in LINKS},
        }
        return made(msgspec.json.encode(answer), falcon.MEDIA_JSON)


def _icon() -> Made:
    return made((files("tradebook.web.pages") / "assets" / "favicon.svg").read_bytes(), "image/svg+xml")


class Kept:
    """Answers with what is made from the parts of the path, once for each."""

    def __init__(self, make: Callable[..., Made | None], cache_control: str) -> None:
        self._make = make
        self._cache_control = cache_control
        self._kept: dict[tuple[str, ...], Made] = {}

    def on_get(self, request: falcon.Request, response: falcon.Response, **parts: str) -> None:
        """Send it, or 304 to whoever has it."""
        place = tuple(parts.values())
        found = self._kept.get(place)
        if found is None:
            found = self._make(**parts)
            if found is None:
                raise falcon.HTTPRouteNotFound
            self._kept[place] = found
        response.set_headers((("ETag", found.etag), ("Cache-Control", self._cache_control), *_HEADERS))
        asked = request.env.get("HTTP_IF_NONE_MATCH")
        if asked is not None and is_known(found.etag, asked):
            response.status = falcon.HTTP_NOT_MODIFIED
            return
        response.content_type = found.content_type
        response.data = found.body

    on_head = on_get


class Root:
    """Answers a browser with a page, and everyone else with the same links as JSON."""

    def __init__(self, page: Kept, links: Kept) -> None:
        self._page, self._links = page, links

    def on_get(self, request: falcon.Request, response: falcon.Response) -> None:
        """Send what is preferred; a browser names text/html, curl and most libraries take anything."""
        preferred = request.client_prefers((falcon.MEDIA_JSON, falcon.MEDIA_HTML))
        chosen = self._page if preferred == falcon.MEDIA_HTML else self._links
        chosen.on_get(request, response)
        response.set_header("Vary", "Accept")

    on_head = on_get
