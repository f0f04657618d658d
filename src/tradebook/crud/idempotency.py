"""Answers kept under the keys that clients choose, so that a request sent again is not done again.

A record is written in the transaction of the change it speaks of: there is one exactly if there is the
other. The key itself is not kept, only its hash.
"""

from hashlib import sha256

import msgspec
import sqlalchemy as sa

from tradebook.clock import now_ms
from tradebook.storage.database import Reader, Writer
from tradebook.storage.schema import ACCOUNT, prepare, table, text

KEPT_MS = 24 * 3_600_000
SWEPT_AT_ONCE = 20
"""How many old records each new one clears away: more than come, so that none are left to pile up."""

idempotency_records: sa.Table = table(
    "idempotency_records",
    text("key_hash"),
    text("fingerprint"),
    text("answer"),
    sa.Column("created_at", sa.BigInteger, nullable=False),
    sa.Index("idempotency_records_by_created_at", "account_id", "created_at"),
    key=("key_hash",),
)

_r = idempotency_records.c
_FIND = prepare(
    sa.select(_r.fingerprint, _r.answer).where(
        _r.account_id == ACCOUNT,
        _r.key_hash == sa.bindparam("key_hash"),
        _r.created_at > sa.bindparam("after"),
    )
)
_KEEP = prepare(sa.insert(idempotency_records))
_OLDEST = prepare(
    sa.select(_r.key_hash)
    .where(_r.account_id == ACCOUNT, _r.created_at <= sa.bindparam("before"))
    .order_by(_r.created_at)
    .limit(SWEPT_AT_ONCE)
)
_DROP = prepare(
    sa.delete(idempotency_records).where(_r.account_id == ACCOUNT, _r.key_hash == sa.bindparam("key_hash"))
)


class KeptAnswer(msgspec.Struct, frozen=True):
    """What is known of a key: which request it came with, and what was answered."""

    fingerprint: str
    answer: str


def hash_of(key: str) -> str:
    """Return what a key is found by."""
    return sha256(key.encode()).hexdigest()


def find_record(reader: Reader, key: str) -> KeptAnswer | None:
    """Return the record of a key that is not older than a day."""
    found = reader.rows(_FIND, key_hash=hash_of(key), after=now_ms() - KEPT_MS)
    return KeptAnswer(*found[0]) if found else None


def keep_record(writer: Writer, key: str, record: KeptAnswer) -> None:
    """Keep an answer, and let go of some that have had their day."""
    now = now_ms()
    key_hash = hash_of(key)
    for (old,) in writer.rows(_OLDEST, before=now - KEPT_MS):
        writer.run(_DROP, key_hash=old)
    writer.run(_DROP, key_hash=key_hash)
    writer.run(_KEEP, key_hash=key_hash, fingerprint=record.fingerprint, answer=record.answer, created_at=now)
