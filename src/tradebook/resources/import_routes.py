"""The routes of imports: a file is uploaded, its plan is read, and applied or discarded."""

from collections.abc import Mapping, Sequence

import msgspec
import sqlalchemy as sa
from msgspec import structs

from tradebook.clock import DAY_MS, format_ms, format_ms_or_none, now_ms
from tradebook.crud.change import Change
from tradebook.crud.kinds import OneOf
from tradebook.crud.parameters import Parameter
from tradebook.crud.records import Records, Values
from tradebook.crud.resource import Action, ItemRoute, ListRoute, PathObject, Resource, View
from tradebook.crud.uploads import FileBody
from tradebook.crud.versions import first_version
from tradebook.crud.walks import walk_of_table
from tradebook.errors import MissingField, RateLimitExceeded, ResourceConflict, ResourceGone
from tradebook.ids import SPARE, encode_id, example_key, milliseconds_of
from tradebook.resources.import_options import OPTIONS, REJECTS, YES
from tradebook.resources.import_rows import OF_OUTCOME, add_block, load_rows, walk_rows
from tradebook.resources.import_shapes import (
    NOTHING_DONE,
    Import,
    ImportOptions,
    ImportProgress,
    ImportRow,
    ImportSummary,
    Outcome,
)
from tradebook.resources.imports import ID_PREFIX, State, imports
from tradebook.storage.accounts import accounts
from tradebook.storage.database import Writer
from tradebook.storage.index import Facet
from tradebook.storage.schema import ACCOUNT, prepare, words_of
from tradebook.text import counted

PATH = "/v1/core/imports"
APPLY = f"{PATH}/{{id}}/actions/apply"
WAITING_MAX = 20
"""How many files of an account may wait to be planned."""

PLAN_ENDS_AFTER_MS = 7 * DAY_MS
"""How long a plan may wait to be applied, and what its rows do can be read."""

_i = imports.c
STATES = words_of(State)
PLACES = {state: place for place, state in enumerate(STATES)}
STATE = Facet("s", (_i.state,))
"""An account has few imports: `_walk` looks through them."""

_WAITING = prepare(sa.select(sa.func.count()).where(_i.account_id == ACCOUNT, _i.state == PLACES["planning"]))
_DUE = prepare(sa.update(accounts).where(accounts.c.account_id == ACCOUNT).values(imports_due=0))


class KeptOptions(ImportOptions, frozen=True):
    """How a file is to be read, with what only its reader needs."""

    format: str | None = None
    charset: str | None = None
    """The encoding that its sender has named, which counts where no other is asked for."""
    upload: str | None = None
    """What the file is called among those that wait on a disk."""
    size: int | None = None
    own_map: str | None = None
    """The map that came with it."""


_options = msgspec.json.Decoder(KeptOptions)
_summary = msgspec.json.Decoder(ImportSummary)


_walk = walk_of_table(
    _i.id,
    sa.or_(*(sa.and_(_i.state == place, sa.bindparam(state) == 1) for state, place in PLACES.items())),
    values=lambda asked: {
        state: int(not asked.places or place in asked.places) for state, place in PLACES.items()
    },
)
"""Walks the imports in one of the states that are asked for; all without any."""


def load(view: View, keys: Sequence[int]) -> Mapping[int, Import]:
    """Return imports."""
    return {key: shown(row) for key, row in records.find_all(view.reader, keys).items()}


records = Records(imports)


def shown(row: Values) -> Import:
    """Show an import."""
    options = _options.decode(row["options"])
    return Import(
        id=encode_id(ID_PREFIX, row["id"]),
        object="import",
        state=STATES[row["state"]],  # type: ignore[arg-type]
        file_name=row["source"],
        options=ImportOptions(**{name: getattr(options, name) for name in ImportOptions.__struct_fields__}),
        progress=ImportProgress(row["rows"], row["total"]),
        summary=None if row["summary"] is None else _summary.decode(row["summary"]),
        error=row["error"],
        expires_at=format_ms_or_none(row["ends_at"]),
        created_at=format_ms(milliseconds_of(row["id"])),
        updated_at=format_ms(row["updated_at"]),
    )


def create(change: Change) -> int:
    """Note a file that has come, for who plans it."""
    uploaded, given = change.uploaded, change.parameters
    assert uploaded is not None
    if change.writer.rows(_WAITING)[0][0] >= WAITING_MAX:
        raise RateLimitExceeded(
            f"{WAITING_MAX} files of this account wait to be planned. Wait for them.", retry_after_seconds=30
        )
    options = KeptOptions(
        **given | ({} if uploaded.text is None else {"map": "own"}),
        format=uploaded.format,
        charset=uploaded.charset,
        upload=uploaded.name,
        size=uploaded.size,
        own_map=uploaded.text,
    )
    change.writer.run(_DUE)
    text = msgspec.json.encode(options).decode()
    return records.add(change.writer, {**_NEW, "source": uploaded.file_name, "options": text})


def add_plan(writer: Writer, key: int, file_name: str, rows: Sequence[ImportRow]) -> None:
    """Add a plan that changes nothing, as an example."""
    summary = structs.replace(NOTHING_DONE, rows=len(rows), unchanged=len(rows))
    kept: Values = {"summary": msgspec.json.encode(summary).decode(), "rows": len(rows), "total": len(rows)}
    kept["ends_at"] = now_ms() + PLAN_ENDS_AFTER_MS
    row = {**_NEW, "id": key, "state": PLACES["planned"], "source": file_name, **kept}
    records.insert(writer, [{**row, "updated_at": first_version(key)}])
    add_block(writer, key, rows)


_NEW: Values = {
    "state": PLACES["planning"],
    "rows": 0,
    "total": None,
    "source": None,
    "options": "{}",
    "matched_by": "{}",
    "summary": None,
    "counts": "{}",
    "error": None,
    "owner": None,
    "lease_until": None,
    "ends_at": None,
}


def require_planned(row: Values) -> None:
    """Refuse what is no plan that waits: ResourceConflict."""
    state = STATES[row["state"]]
    if state != "planned":
        raise ResourceConflict(_WRONG_STATE[state], param="id")
    if row["ends_at"] is not None and row["ends_at"] <= now_ms():
        raise ResourceConflict("This plan has ended. Upload the file again.", param="id")


_WRONG_STATE = {
    "planning": "This import is still being planned. Wait until its state is planned.",
    "applying": "This import is being applied already.",
    "applied": "This import has been applied already.",
    "failed": "This import has failed: its error says why. Mend the file, and upload it again.",
    "discarded": "This import was discarded. Upload the file again.",
}


def require_applicable(change: Change) -> None:
    """Refuse to apply what is no plan, and what has problems or warnings that nobody has said yes to."""
    require_planned(change.row)
    summary = _summary.decode(change.row["summary"])
    if summary.faulty and not change.parameters.get(REJECTS.name):
        raise ResourceConflict(
            f"{counted(summary.faulty, 'row')} can't be taken in. Mend the file and upload it again, or "
            f"apply the other rows with {REJECTS.name}=true.",
            param=REJECTS.name,
        )
    if summary.needs_yes and not change.parameters.get(YES.name):
        raise ResourceConflict(
            f"{counted(summary.needs_yes, 'warning')} must be looked at: see the summary. If all of this is "
            f"meant, apply it with {YES.name}=true.",
            param=YES.name,
        )


def apply(change: Change) -> int:
    """Stand for what applies a plan, which the room of imports and exports has."""
    raise AssertionError(f"app.py puts the act of transfer in this place: {change.id}")


def discard(change: Change) -> int:
    """Give up a plan, or the planning; its rows are swept."""
    if STATES[change.row["state"]] != "planning":
        require_planned(change.row)
    change.writer.run(_DUE)
    after = {"state": PLACES["discarded"], "ends_at": None, "owner": None, "lease_until": None}
    records.update(change.writer, change.row, after)
    return change.id


WORKBOOKS = (
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "application/vnd.oasis.opendocument.spreadsheet",
    "application/vnd.ms-excel",
)
FILE = FileBody(
    formats={
        "text/csv": "csv",
        "text/tab-separated-values": "csv",
        "application/x-ndjson": "ndjson",
        "application/ndjson": "ndjson",
        "application/jsonl": "ndjson",
        "application/x-jsonl": "ndjson",
        "application/jsonlines": "ndjson",
        "application/x-jsonlines": "ndjson",
        "application/json": "json",
        **dict.fromkeys(WORKBOOKS, "workbook"),
    },
    endings={
        "csv": "csv",
        "tsv": "csv",
        "tab": "csv",
        "txt": "csv",
        "ndjson": "ndjson",
        "jsonl": "ndjson",
        "json": "json",
        **dict.fromkeys(("xlsx", "xlsm", "xlsb", "xls", "ods"), "workbook"),
    },
    description="The file: CSV, NDJSON, JSON or a workbook, which may be compressed by gzip.",
    text_part="map",
    text_description="A map in TOML, for a file with columns of another system.",
    example="number,name,email\n10001,Harbor Coffee Roasters,orders@harbor-coffee.example\n",
)

_PATH_OBJECT = PathObject("id", ID_PREFIX, records)
# In an example, another one than what is applied.
_DISCARDED = PathObject("id", ID_PREFIX, records, example=example_key(SPARE))

resource = Resource(
    name="import",
    id_prefix=ID_PREFIX,
    shape=Import,
    routes=(
        ListRoute(
            path=PATH,
            summary="List imports",
            permissions=("imports:read",),
            item=Import,
            walk=_walk,
            load=load,
            parameters=(Parameter("states[]", OneOf(State), "Only imports in one of these states.", STATE),),
            # Its progress is written without a new revision of the account.
            is_kept=False,
        ),
        Action(
            method="POST",
            path=PATH,
            summary="Upload a file of customers to be planned",
            permissions=("imports:create",),
            act=create,
            parameters=OPTIONS,
            upload=FILE,
            errors=(MissingField,),
            creates=_PATH_OBJECT,
            item=Import,
            load=load,
        ),
        ItemRoute(
            path=f"{PATH}/{{id}}",
            summary="Get an import",
            permissions=("imports:read",),
            item=Import,
            path_objects=(_PATH_OBJECT,),
            load=load,
            is_kept=False,
        ),
        ListRoute(
            path=f"{PATH}/{{id}}/rows",
            summary="List what the rows of a planned import do",
            permissions=("imports:read",),
            item=ImportRow,
            walk=walk_rows,
            load=load_rows,
            parameters=(
                Parameter("outcome[]", OneOf(Outcome), "Only rows with one of these outcomes.", OF_OUTCOME),
            ),
            path_objects=(_PATH_OBJECT,),
            errors=(ResourceGone,),
            is_kept=False,
        ),
        Action(
            method="POST",
            path=APPLY,
            summary="Apply a planned import",
            permissions=("imports:update",),
            act=apply,
            parameters=(REJECTS, YES),
            errors=(ResourceConflict,),
            path_objects=(_PATH_OBJECT,),
            item=Import,
            load=load,
        ),
        Action(
            method="POST",
            path=f"{PATH}/{{id}}/actions/discard",
            summary="Discard an import that is not applied",
            permissions=("imports:update",),
            act=discard,
            errors=(ResourceConflict,),
            path_objects=(_DISCARDED,),
            item=Import,
            load=load,
        ),
    ),
)
