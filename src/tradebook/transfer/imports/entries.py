"""The entry of an import in the book: its state, who works at it, and when somebody should look again."""

from typing import Any

import msgspec
import sqlalchemy as sa

from tradebook.clock import now_ms
from tradebook.crud.records import Records, Values
from tradebook.ids import milliseconds_of
from tradebook.resources.imports import State, import_blocks, imports
from tradebook.storage.accounts import accounts
from tradebook.storage.database import Reader, Writer
from tradebook.storage.schema import ACCOUNT, prepare, words_of
from tradebook.transfer.imports.owners import lease_until, this_process
from tradebook.transfer.imports.summary import Summary
from tradebook.transfer.rows import Match

STATES = words_of(State)
PLACES: dict[str, int] = {state: place for place, state in enumerate(STATES)}

records = Records(imports, owned=(import_blocks.c.import_id,))
_i, _b = imports.c, import_blocks.c
_KEY: sa.BindParameter[int] = sa.bindparam("key", type_=sa.BigInteger)

_is_under_way = sa.or_(_i.state == PLACES["planning"], _i.state == PLACES["applying"])
_has_blocks = sa.exists(_b.place).where(_b.account_id == ACCOUNT, _b.import_id == _i.id).correlate(imports)
_OPEN = prepare(
    sa.select(_i.id)
    .where(_i.account_id == ACCOUNT, sa.or_(_is_under_way, _i.ends_at.is_not(None), _has_blocks))
    .order_by(_i.id)
)
_IS_UNDER_WAY = prepare(
    sa.select(_i.id)
    .where(
        _i.account_id == ACCOUNT,
        sa.or_(
            _is_under_way,
            sa.and_(_i.state != PLACES["planned"], _i.ends_at.is_(None), _has_blocks),
        ),
    )
    .limit(1)
)
_FIRST_END = prepare(
    sa.select(sa.func.min(_i.ends_at)).where(_i.account_id == ACCOUNT, _i.ends_at.is_not(None))
)
_NOTED = prepare(sa.select(accounts.c.imports_due).where(accounts.c.account_id == ACCOUNT))
_NOTE = prepare(
    sa.update(accounts).where(accounts.c.account_id == ACCOUNT).values(imports_due=sa.bindparam("due"))
)
_mine = (_i.account_id == ACCOUNT, _i.id == _KEY, _i.owner == sa.bindparam("own"))
_GO_ON = prepare(
    sa.update(imports)
    .where(*_mine)
    .values(
        rows=sa.bindparam("rows"),
        counts=sa.bindparam("counts"),
        lease_until=sa.bindparam("lease"),
        updated_at=sa.bindparam("now"),
    )
)
_RENEW = prepare(sa.update(imports).where(*_mine).values(lease_until=sa.bindparam("lease")))
_TAKE = prepare(
    sa.update(imports)
    .where(
        _i.account_id == ACCOUNT,
        _i.id == _KEY,
        _i.state == sa.bindparam("at"),
        sa.func.coalesce(_i.owner, "") == sa.bindparam("before"),
    )
    .values(owner=sa.bindparam("own"), lease_until=sa.bindparam("lease"))
)


class NotMine(Exception):
    """Somebody else has taken the import over, or ended it."""


def add(
    writer: Writer,
    key: int,
    state: State,
    *,
    total: int | None,
    source: str | None,
    match: Match,
    summary: Summary,
    options: str = "{}",
) -> None:
    """Note an import that this process works at."""
    records.insert(
        writer,
        [
            {
                "id": key,
                "state": PLACES[state],
                "rows": 0,
                "total": total,
                "source": source,
                "options": options,
                "matched_by": msgspec.json.encode(match).decode(),
                "summary": msgspec.json.encode(summary).decode(),
                "counts": "{}",
                "error": None,
                "owner": this_process(),
                "lease_until": lease_until(),
                "ends_at": None,
                "updated_at": milliseconds_of(key),
            }
        ],
    )
    note_due(writer)


def find(reader: Reader, key: int) -> Values | None:
    """Return an entry; None if there is none."""
    return records.find(reader, key)


def mine(reader: Reader, key: int) -> Values:
    """Return an entry that this process writes the rows of; NotMine where it does not, or no more."""
    entry = find(reader, key)
    if entry is None or entry["state"] != PLACES["applying"] or entry["owner"] != this_process():
        raise NotMine
    return entry


def open_ones(reader: Reader) -> list[Values]:
    """Return the entries at which something may be left to do."""
    keys = [key for (key,) in reader.rows(_OPEN)]
    return list(records.find_all(reader, keys).values())


def change(writer: Writer, entry: Values, **values: Any) -> None:
    """Change an entry, which becomes another version."""
    records.write(writer, [(entry, {**entry, **values})])
    note_due(writer)


def remove(writer: Writer, key: int) -> None:
    """Forget an import that never began."""
    entry = find(writer, key)
    if entry is not None:
        records.delete(writer, entry)
    note_due(writer)


def go_on(writer: Writer, key: int, *, rows: int, counts: str) -> None:
    """Note how far an import has come; NotMine where this process does not work at it any more."""
    values = {"rows": rows, "counts": counts, "lease": lease_until(), "now": now_ms()}
    if not writer.changed(_GO_ON, key=key, own=this_process(), **values):
        raise NotMine


def renew(writer: Writer, key: int) -> None:
    """Tell that this process still works at an import; NotMine where it does not."""
    if not writer.changed(_RENEW, key=key, own=this_process(), lease=lease_until()):
        raise NotMine


def take(writer: Writer, entry: Values) -> bool:
    """Take over an import that nobody works at; False where somebody was faster."""
    return bool(
        writer.changed(
            _TAKE,
            key=entry["id"],
            at=entry["state"],
            before=entry["owner"] or "",
            own=this_process(),
            lease=lease_until(),
        )
    )


def due(reader: Reader) -> int | None:
    """Tell when somebody should look at the account's imports again."""
    found: int | None = 0 if reader.rows(_IS_UNDER_WAY) else reader.rows(_FIRST_END)[0][0]
    return found


def is_noted(reader: Reader) -> bool:
    """Tell whether the account says when that is."""
    return bool(reader.rows(_NOTED)[0][0] == due(reader))


def note_due(writer: Writer) -> None:
    """Write it down."""
    if not is_noted(writer):
        writer.run(_NOTE, due=due(writer))
