"""What the search of the reference finds: resources, routes, parameters, fields, properties and errors."""

from collections.abc import Iterable, Iterator

from tradebook.web.pages.description import Described, Field, Operation, Page
from tradebook.web.pages.error_groups import ErrorGroup
from tradebook.web.pages.guide import Part

Row = tuple[str, str, str, str]
"""Title, kind, URL, text."""
_TEXT_MAX = 160


def search_rows(api: Described, errors: Iterable[ErrorGroup], guide: Iterable[Part]) -> list[Row]:
    """List all that can be found: what is found by its own name first."""
    return [
        *(row for page in api.pages for row in _of_page(page)),
        *((e.code, "error", f"/errors#{e.code}", f"{e.status} {_short(' '.join(e.firsts))}") for e in errors),
        *((part.title, "guide", f"/docs#{part.anchor}", _short(part.text)) for part in guide),
        *((name, "header", f"/docs#header.{name}", _short(text)) for name, text in api.headers),
        *(row for page in api.pages for row in _of_fields(page)),
    ]


def _of_page(page: Page) -> Iterator[Row]:
    url = f"/docs/{page.slug}"
    yield page.title, "resource", url, _short(page.text)
    for shape in page.shapes:
        yield shape.name, "object", f"{url}#{shape.name}", _short(shape.text)
    for each in page.operations:
        yield each.summary, "route", f"{url}#{each.id}", f"{each.method} {each.path}"


def _of_fields(page: Page) -> Iterator[Row]:
    url = f"/docs/{page.slug}"
    for operation in page.operations:
        for kind, field in _fields_of(operation):
            yield from _rows(field, kind, url, f"{operation.method} {operation.path}")
    for shape in page.shapes:
        for field in shape.fields:
            yield from _rows(field, "property", url, shape.name)


def _fields_of(operation: Operation) -> Iterator[tuple[str, Field]]:
    yield from (("parameter", field) for _, group in operation.groups for field in group)
    yield from (("field", field) for field in operation.body)


def _rows(field: Field, kind: str, url: str, of: str) -> Iterator[Row]:
    yield (
        field.name,
        kind,
        f"{url}#{field.anchor}",
        _short(f"{of}: {field.text} {' '.join(field.kind.choices)}"),
    )
    for each in field.inside:
        yield from _rows(each, kind, url, f"{of} {field.name}")


def _short(text: str) -> str:
    plain = " ".join(text.replace("`", "").split())
    return plain if len(plain) <= _TEXT_MAX else f"{plain[:_TEXT_MAX]}…"
