"""Writes the pages, from the OpenAPI document, the catalogue of errors and the templates beside this file.

It is loaded when a page is asked for the first time: a worker that nobody asks for one does not pay for it.
"""

from collections.abc import Iterable, Mapping
from hashlib import blake2b
from importlib.resources import files
from typing import Any

import jinja2
import msgspec

from tradebook.errors import ApiError
from tradebook.web.pages.description import Described, Errors, Operation, describe
from tradebook.web.pages.error_groups import grouped
from tradebook.web.pages.guide import Part, parts_of
from tradebook.web.pages.links import Link
from tradebook.web.pages.made import Made, made
from tradebook.web.pages.prose import breakable, coloured, inline, prose
from tradebook.web.pages.search_index import search_rows

ASSETS = "/docs/assets/"
_FILES = files("tradebook.web.pages")
_TYPES = {"css": "text/css", "js": "text/javascript", "json": "application/json"}


class Rendering:
    """The templates with all that they show."""

    def __init__(
        self,
        document: Mapping[str, Any],
        errors: Errors,
        catalogue: Iterable[type[ApiError]],
        links: tuple[Link, ...],
    ) -> None:
        self._api = describe(document, errors)
        self._errors = grouped(catalogue)
        self._links = links
        self._guide = tuple(parts_of(_template("guide.md")))
        self._environment = jinja2.Environment(
            loader=jinja2.FunctionLoader(_template),
            autoescape=jinja2.select_autoescape(["html"]),
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.filters |= {
            "breakable": breakable,
            "coloured": coloured,
            "compact": compact,
            "first_line": lambda text: text.partition("\n\n")[0].replace("\n", " "),
            "grouped": grouped,
            "inline": inline,
            "prose": prose,
        }
        self.assets = {hashed(name, each.body): each for name, each in self._made_assets().items()}
        self._asset_urls = {unhashed(name): ASSETS + name for name in self.assets}

    def _made_assets(self) -> dict[str, Made]:
        bodies = {name: (_FILES / "assets" / name).read_bytes() for name in ("docs.css", "docs.js")}
        bodies["search.json"] = msgspec.json.encode(search_rows(self._api, self._errors, self._guide))
        return {name: made(body, _TYPES[name.rpartition(".")[2]]) for name, body in bodies.items()}

    def home(self) -> Made:
        """Write the page at the root."""
        return self._html("home.html", links=self._links, first=_first_list(self._api))

    def errors(self) -> Made:
        """Write the reference of errors, with an anchor for each code."""
        return self._html("errors.html", slug="errors", errors=self._errors, envelope=_sample(self._guide))

    def introduction(self) -> Made:
        """Write the first page of the reference."""
        return self._html("introduction.html", slug="", first=_first_list(self._api))

    def resource(self, slug: str) -> Made | None:
        """Write the page of a resource; None if there is no such resource."""
        page = next((page for page in self._api.pages if page.slug == slug), None)
        return page and self._html("resource.html", slug=slug, page=page)

    def llms(self) -> Made:
        """Write the text for language models."""
        text = self._environment.get_template("llms.txt").render(self._common(), links=self._links)
        return made(text.encode(), "text/plain; charset=utf-8")

    def _html(self, template: str, **values: Any) -> Made:
        has_menu = "slug" in values
        text = self._environment.get_template(template).render(self._common(), has_menu=has_menu, **values)
        return made(text.encode(), "text/html; charset=utf-8")

    def _common(self) -> dict[str, Any]:
        summary = self._api.text.partition("\n\n")[0].replace("\n", " ")
        return {"api": self._api, "guide": self._guide, "assets": self._asset_urls, "summary": summary}


def _sample(guide: Iterable[Part]) -> str | None:
    return next(part.sample for part in guide if part.anchor == "errors")


def _template(name: str) -> str:
    return (_FILES / "templates" / name).read_text()


def hashed(name: str, body: bytes) -> str:
    """Put the hash of its content into the name of a file, so that it may be kept for ever."""
    stem, _, ending = name.rpartition(".")
    return f"{stem}.{blake2b(body, digest_size=6).hexdigest()}.{ending}"


def unhashed(name: str) -> str:
    """Return the name that a file had before."""
    stem, _, ending = name.split(".")
    return f"{stem}.{ending}"


def _first_list(api: Described) -> Operation:
    return api.pages[0].operations[0]


def compact(operation: Operation) -> str:
    """Say in a line what a route takes and answers."""
    parts = []
    for title, fields in (*operation.groups, ("Body", operation.body)):
        if fields:
            parts.append(f" {title}: " + ", ".join(map(_compact_field, fields)) + ".")
    names = dict.fromkeys(name for answer in operation.answers for name, _ in answer.objects)
    if names:
        is_list = any(answer.is_list for answer in operation.answers)
        parts.append(f" Answers {'a page of ' if is_list else ''}{' or '.join(names)}.")
    return "".join(parts)


def _compact_field(field: Any) -> str:
    told = [f"`{field.name}`"]
    notes = [
        *(["required"] if field.is_required else []),
        *(limit.rstrip(".") for limit in field.kind.limits),
    ]
    if field.kind.choices:
        notes.append(" | ".join(field.kind.choices))
    if field.inside:
        notes.append("object of " + " ".join(each.name for each in field.inside))
    return " ".join(told + ([f"({'; '.join(notes)})"] if notes else []))
