"""The eight tools: what each is called, what it takes, and what it needs."""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from tradebook.crud.fields import Body, Object
from tradebook.crud.grant import Grant
from tradebook.crud.kinds import Kind, Many
from tradebook.crud.parameters import LIMIT_MAX
from tradebook.mcp import changing, finding
from tradebook.mcp.answers import TOKENS_DEFAULT
from tradebook.mcp.asking import Book
from tradebook.mcp.choices import KINDS
from tradebook.mcp.routes import CREATE, FILTERS, MERGE, UPDATE

Schema = dict[str, Any]


class Tool(msgspec.Struct, frozen=True, kw_only=True):
    """One tool, as agents see it."""

    name: str
    description: str
    run: Callable[[Book, dict[str, Any]], str]
    properties: Schema
    required: tuple[str, ...] = ()
    permissions: tuple[str, ...] = ()
    """What a key needs, so that a tool that changes the book is offered."""
    changes: bool = False
    destroys: bool = False
    is_idempotent: bool = True

    @property
    def schema(self) -> Schema:
        """The schema of its arguments."""
        described: Schema = {"type": "object", "properties": self.properties, "additionalProperties": False}
        return described | {"required": list(self.required)} if self.required else described

    def is_offered(self, grant: Grant, *, may_write: bool) -> bool:
        """Tell whether a key is shown the tool."""
        return not self.changes or (may_write and grant.permissions.issuperset(self.permissions))


def _text(description: str = "", **more: Any) -> Schema:
    return {"type": "string", **more} | ({"description": description} if description else {})


_TEXTS = {"type": "array", "items": {"type": "string"}}
_TOKENS = {"type": "integer", "description": f"Longest answer, default {TOKENS_DEFAULT}"}
_CURSOR = _text("From the last answer")
_GO_ON = {"cursor": _CURSOR, "max_tokens": _TOKENS}
_WHICH = {"id": _text(), "number": _text()}
_WORDS = {
    "q": "Words that must all occur, in names, number, email, phone, url, addresses",
    "city": "Exact; with state and postal_code, of one address",
    "start_date": "Created at or after",
    "end_date": "Created at or before",
    "number": "Default: the next in sequence",
    "parent_account_id": "Id or number",
    "credit_limit": "unit_id: a currency, such as EUR; default USD",
}
"""What the name of an argument doesn't say."""


def _filters() -> Schema:
    described = {}
    for parameter in FILTERS:
        name = parameter.name.removesuffix(parameter.MANY)
        schema = _plain(parameter.kind)
        described[name] = _said(name, {"type": "array", "items": schema} if parameter.is_array else schema)
    return described


def _plain(kind: Kind) -> Schema:
    """Describe a kind with what a model needs: a refusal tells the rest."""
    if isinstance(kind, Many):
        return {"type": "array", "items": _plain(kind.kind)}
    if isinstance(kind, Object):
        required = [field.name for field in kind.body.fields if field.is_required]
        properties = {field.name: _plain(field.kind) for field in kind.body.fields}
        return {"type": "object", "properties": properties, "required": required}
    schema = kind.schema()
    return {name: schema[name] for name in ("type", "enum") if name in schema}


def _said(name: str, schema: Schema) -> Schema:
    return schema | ({"description": _WORDS[name]} if name in _WORDS else {})


def _created(body: Body) -> Schema:
    """Describe the fields of a new customer; the second address is like the first."""
    described = {field.name: _said(field.name, _plain(field.kind)) for field in body.fields}
    described["ship_to_address"] = {"type": "object", "description": "Likewise; default: the same"}
    return described


def _changed(body: Body) -> Schema:
    """Describe the fields of a change: what is said of them for a new customer is not said again.

    None has two types, which some hosts refuse: so the fields that can be null are named in one more.
    """
    described = {}
    for field in body.fields:
        schema = _plain(field.kind)
        described[field.name] = {
            name: schema[name] for name in ("type", "items", "properties") if name in schema
        }
    clearable = [field.name for field in body.fields if field.can_be_null]
    return described | {"clear": {"type": "array", "items": {"type": "string", "enum": clearable}}}


_MERGED = {
    "target": _text("Id or number of the customer that stays"),
    "sources": _TEXTS | {"description": "Ids or numbers of those that become part of it"},
}
_REQUIRED = tuple(
    field.name for field in CREATE.body.fields if field.is_required and field.name != "ship_to_address"
)

TOOLS = (
    Tool(
        name="find_customers",
        description="Find customers by words and filters, newest first. Filters take ids or names; several "
        "values of one are alternatives, different ones must all match.",
        run=finding.find_customers,
        properties={
            **_filters(),
            "limit": {"type": "integer", "description": f"1 to {LIMIT_MAX}, default {finding.LIMIT_DEFAULT}"},
            **_GO_ON,
        },
    ),
    Tool(
        name="get_customer",
        description="Everything about one customer, by id or by number.",
        run=finding.get_customer,
        properties={**_WHICH, **_GO_ON},
    ),
    Tool(
        name="list_choices",
        description="The names and ids that customers refer to: groups, carriers with service levels, "
        "terms, sales reps, statuses.",
        run=finding.list_choices,
        properties={"kind": _text(enum=list(KINDS)), **_GO_ON},
    ),
    Tool(
        name="describe_book",
        description="Whose book this is, how large, and what the key may do.",
        run=finding.describe_book,
        properties={},
    ),
    Tool(
        name="preview_merge",
        description="Show what merging duplicates would move and lose. Changes nothing.",
        run=changing.preview_merge,
        properties={**_MERGED, "max_tokens": _TOKENS},
        required=tuple(_MERGED),
    ),
    Tool(
        name="create_customer",
        description="Create a customer. Ids of groups, carriers, levels, terms, reps may be names.",
        run=changing.create_customer,
        properties=_created(CREATE.body),
        required=_REQUIRED,
        permissions=CREATE.permissions,
        changes=True,
        is_idempotent=False,
    ),
    Tool(
        name="update_customer",
        description="Change fields of one customer, named by id or by number; absent fields stay, clear "
        "empties, a list replaces all. With id, number is a new number. Fields as in create_customer.",
        run=changing.update_customer,
        properties={"id": _text(), **_changed(UPDATE.body)},
        permissions=UPDATE.permissions,
        changes=True,
        destroys=True,
    ),
    Tool(
        name="merge_customers",
        description="Merge duplicates into target for good, and delete them. Use preview_merge first.",
        run=changing.merge_customers,
        properties=_MERGED,
        required=tuple(_MERGED),
        permissions=MERGE.permissions,
        changes=True,
        destroys=True,
        is_idempotent=False,
    ),
)
BY_NAME: Mapping[str, Tool] = {tool.name: tool for tool in TOOLS}
