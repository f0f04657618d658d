"""The API as its pages tell it: each resource with its routes and objects, from the OpenAPI document."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from tradebook.errors import ApiError
from tradebook.web.forms import MULTIPART
from tradebook.web.pages.examples import Example, Request, examples_of
from tradebook.web.pages.samples import Samples, example_of
from tradebook.web.pages.schemas import Kind, Schema, Schemas

_VERBS = ("get", "post", "put", "patch", "delete")
_PLACES = {"path": "In the path", "query": "In the query string", "header": "Headers"}
_JSON = "application/json"
_ROWS = 3
"""How many rows an example of a list asks for."""
Errors = Mapping[tuple[str, str], Sequence[type[ApiError]]]
"""What each method of each path can be refused with."""


class Field(NamedTuple):
    """A parameter, a field of a body, or a property of an object."""

    anchor: str
    name: str
    kind: Kind
    text: str
    is_required: bool
    home: str | None
    """The page that describes the object that it is."""
    inside: tuple["Field", ...]


class Answer(NamedTuple):
    """What a route answers when it succeeds."""

    status: str
    text: str
    objects: tuple[tuple[str, str | None], ...]
    """The names of the objects in it, each with the page that describes it."""
    is_list: bool
    content_types: tuple[str, ...]
    headers: tuple[str, ...]


class Operation(NamedTuple):
    """One route."""

    id: str
    method: str
    path: str
    summary: str
    text: str
    groups: tuple[tuple[str, tuple[Field, ...]], ...]
    """Its parameters, by where they are sent."""
    body: tuple[Field, ...]
    answers: tuple[Answer, ...]
    refusals: tuple[type[ApiError], ...]
    """What it can be refused with that not every route can."""
    common: tuple[type[ApiError], ...]
    """What every route can be refused with."""
    examples: tuple[Example, ...]
    sample: str | None
    """An answer, as JSON."""


class Shape(NamedTuple):
    """An object that is answered."""

    name: str
    text: str
    fields: tuple[Field, ...]
    sample: str


class Page(NamedTuple):
    """A resource with everything about it."""

    slug: str
    title: str
    text: str
    shapes: tuple[Shape, ...]
    operations: tuple[Operation, ...]


class Described(NamedTuple):
    """The whole API."""

    title: str
    version: str
    text: str
    headers: tuple[tuple[str, str], ...]
    """The headers of answers, with what they say."""
    pages: tuple[Page, ...]


def describe(document: Mapping[str, Any], errors: Errors) -> Described:
    """Tell of all that a document describes."""
    return _Describing(document, errors).all()


def title_of(name: str) -> str:
    """Write the name of a tag as a title."""
    words = name.replace("_", " ").replace("-", " ")
    return words[:1].upper() + words[1:]


class _Describing:
    def __init__(self, document: Mapping[str, Any], errors: Errors) -> None:
        self._document = document
        self._errors = errors
        self._schemas = Schemas(document)
        self._samples = Samples(self._schemas)
        self._common = frozenset.intersection(*map(frozenset, errors.values())) if errors else frozenset()
        self._homes = self._homes_of_objects()
        self._everywhere = self._headers_everywhere()

    def all(self) -> Described:
        info = self._document["info"]
        headers = self._document["components"].get("headers", {})
        return Described(
            info["title"],
            info["version"],
            info.get("description", ""),
            tuple((name, each.get("description", "")) for name, each in headers.items()),
            tuple(self._page(tag) for tag in self._document["tags"]),
        )

    def _operations(self) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
        for path, verbs in self._document["paths"].items():
            for verb in _VERBS:
                if verb in verbs:
                    yield path, verb, verbs[verb]

    def _homes_of_objects(self) -> dict[str, str]:
        """Choose the page for each object: where it is answered by itself most often."""
        counts: dict[str, dict[str, int]] = {}
        for _, _, described in self._operations():
            tag = slug_of(described["tags"][0])
            for schema in _schemas_of(described):
                is_alone = self._schemas.item_of(schema) is None
                for name in self._schemas.names(schema):
                    of_tags = counts.setdefault(name, {})
                    of_tags[tag] = of_tags.get(tag, 0) + (100 if is_alone else 1)
        return {name: max(of_tags, key=lambda tag: of_tags[tag]) for name, of_tags in counts.items()}

    def _headers_everywhere(self) -> frozenset[str]:
        """Find the headers of all answers to whoever has a key: they are told once, in the introduction."""
        answers = [
            frozenset(self._schemas.resolved(each).get("headers", ()))
            for _, _, described in self._operations()
            for status, each in described["responses"].items()
            if status.startswith("2") and described.get("security") != []
        ]
        return frozenset.intersection(*answers) if answers else frozenset()

    def _page(self, tag: Mapping[str, Any]) -> Page:
        slug = slug_of(tag["name"])
        return Page(
            slug,
            tag.get("x-displayName") or title_of(tag["name"]),
            tag.get("description", ""),
            tuple(self._shape(name) for name, home in self._homes.items() if home == slug),
            tuple(
                self._operation(path, verb, each)
                for path, verb, each in self._operations()
                if each["tags"][0] == tag["name"]
            ),
        )

    def _shape(self, name: str) -> Shape:
        schema = self._schemas.named[name]
        return Shape(
            name,
            schema.get("description", ""),
            tuple(self._fields(schema, name, (name,))),
            _json(self._samples.value({"$ref": f"#/components/schemas/{name}"})),
        )

    def _fields(self, schema: Schema, anchor: str, within: tuple[str, ...] = ()) -> Iterator[Field]:
        required = schema.get("required", ())
        for name, each in schema.get("properties", {}).items():
            yield self._field(f"{anchor}.{name}", name, each, name in required, within)

    def _field(
        self, anchor: str, name: str, schema: Schema, is_required: bool, within: tuple[str, ...] = ()
    ) -> Field:
        kind = self._schemas.kind(schema)
        home = self._homes.get(kind.of or "")
        inside: tuple[Field, ...] = ()
        if home is None and kind.inside is not None and kind.of not in within:
            inside = tuple(self._fields(kind.inside, anchor, (*within, *([kind.of] if kind.of else []))))
        text = schema.get("description") or self._schemas.resolved(schema).get("description", "")
        return Field(anchor, name, kind, text, is_required, home, inside)

    def _operation(self, path: str, verb: str, described: Mapping[str, Any]) -> Operation:
        name = described["operationId"]
        parameters = [self._schemas.resolved(each) for each in described.get("parameters", ())]
        body = self._schemas.resolved(described.get("requestBody", {}))
        media = body.get("content", {}).get(MULTIPART) if _file_of(body) else _media_of(body)
        refused = self._errors.get((verb.upper(), path), ())
        request = self._request(path, verb, described, parameters)
        # What a summary adds is told below the title: "Change a customer; absent fields stay as they are".
        summary, _, more = described["summary"].partition("; ")
        text = [*([f"{title_of(more)}."] if more else []), described.get("description", "")]
        return Operation(
            name,
            verb.upper(),
            path,
            summary,
            " ".join(text),
            tuple(self._groups(name, parameters)),
            tuple(self._fields(self._schemas.resolved(media["schema"]), f"{name}.body")) if media else (),
            tuple(self._answers(described)),
            tuple(error for error in refused if error not in self._common),
            tuple(error for error in refused if error in self._common),
            examples_of(request),
            self._sample_of(described),
        )

    def _groups(
        self, name: str, parameters: Sequence[Mapping[str, Any]]
    ) -> Iterator[tuple[str, tuple[Field, ...]]]:
        for place, title in _PLACES.items():
            found = tuple(
                self._field(
                    f"{name}.{each['name']}", each["name"], _with_text(each), each.get("required", False)
                )
                for each in parameters
                if each["in"] == place
            )
            if found:
                yield title, found

    def _answers(self, described: Mapping[str, Any]) -> Iterator[Answer]:
        for status, each in described["responses"].items():
            if status[0] not in "23":
                continue
            answer = self._schemas.resolved(each)
            content = answer.get("content", {})
            schemas = [media.get("schema", {}) for kind, media in content.items() if kind == _JSON]
            names = dict.fromkeys(name for schema in schemas for name in self._schemas.names(schema))
            yield Answer(
                status,
                answer.get("description", ""),
                tuple((name, self._homes.get(name)) for name in names),
                any(self._schemas.item_of(schema) is not None for schema in schemas),
                tuple(content),
                tuple(header for header in answer.get("headers", ()) if header not in self._everywhere),
            )

    def _sample_of(self, described: Mapping[str, Any]) -> str | None:
        for status, each in described["responses"].items():
            media = _media_of(self._schemas.resolved(each))
            if status.startswith("2") and media:
                return _json(self._samples.answer(media))
        return None

    def _request(
        self, path: str, verb: str, described: Mapping[str, Any], parameters: Sequence[Mapping[str, Any]]
    ) -> Request:
        sent = self._schemas.resolved(described.get("requestBody", {}))
        file = _file_of(sent)
        media = _media_of(sent) if file is None else None
        answers = [schema for schema in _schemas_of(described) if schema]
        whole = self._schemas.resolved(answers[0]) if answers else {}
        item = self._schemas.item_of(answers[0]) if answers else None
        properties = self._schemas.resolved(item or whole).get("properties", {})
        names = [parameter["name"] for parameter in parameters]
        return Request(
            method=verb.upper(),
            path=path,
            ids={
                each["name"]: str(self._samples.parameter(each))
                for each in parameters
                if each["in"] == "path"
            },
            query=dict(_filters(parameters, self._schemas)) if item is not None else {},
            body=self._samples.body(media) if media else None,
            file=file,
            is_open=described.get("security") == [],
            is_repeatable="Idempotency-Key" in names,
            is_list=item is not None,
            is_json=bool(answers),
            shown=next((name for name in ("name", "id") if name in properties), None),
        )


def slug_of(name: str) -> str:
    """Write the name of a tag as the end of a URL."""
    return "-".join("".join(c if c.isalnum() else " " for c in name.lower()).split())


def _with_text(parameter: Mapping[str, Any]) -> Schema:
    return {**parameter["schema"], "description": parameter.get("description", "")}


def _filters(parameters: Sequence[Mapping[str, Any]], schemas: Schemas) -> Iterator[tuple[str, Any]]:
    """Choose what the example of a list asks for: few rows, and one word of its first enumeration."""
    for each in parameters:
        name, schema = each["name"].removesuffix("[]"), schemas.resolved(each["schema"])
        if name == "limit":
            yield name, _ROWS
        words = schemas.resolved(schema.get("items", {})).get("enum")
        if words and name != "include":
            yield name, example_of(each) or [words[0]]
            return


def _media_of(described: Mapping[str, Any]) -> Mapping[str, Any] | None:
    found: Mapping[str, Any] | None = described.get("content", {}).get(_JSON)
    return found


def _file_of(described: Mapping[str, Any]) -> tuple[str, str] | None:
    """Return type and text of the file in an example; None where no file is sent."""
    content = described.get("content", {})
    if MULTIPART not in content:
        return None
    return next((kind, media["example"]) for kind, media in content.items() if "example" in media)


def _schemas_of(described: Mapping[str, Any]) -> Iterable[Schema]:
    """Yield the schemas of what an operation answers with when it succeeds."""
    for status, each in described["responses"].items():
        media = _media_of(each)
        if status.startswith("2") and media:
            yield media["schema"]


def _json(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)
