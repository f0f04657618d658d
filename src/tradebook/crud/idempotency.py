"""Answers stored under the keys that clients choose, so that a request sent again is not done again.

An answer is stored in the transaction of its change: either both exist or neither. Only a hash of the key is
stored.
"""

from hashlib import sha256

import msgspec
import sqlalchemy as sa

from tradebook.clock import now_ms
from tradebook.storage.database import Reader, Writer
from tradebook.storage.schema import ACCOUNT, prepare, table, text

KEPT_MS = 24 * 3_600_000
SWEPT_AT_ONCE = 20
"""How many old answers each new one deletes: more than one, so that old answers never pile up."""

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
    sa.select(_r.fingerprint, _r.answer, _r.created_at).where(
        _r.account_id == ACCOUNT, _r.key_hash == sa.bindparam("key_hash")
    )
)
_KEEP = prepare(sa.insert(idempotency_records))
_old = idempotency_records.alias("old")
_SWEEP = prepare(
    sa.delete(idempotency_records).where(
        _r.account_id == ACCOUNT,
        _r.key_hash.in_(
            sa.select(_old.c.key_hash)
            .where(_old.c.account_id == ACCOUNT, _old.c.created_at <= sa.bindparam("before"))
            .order_by(_old.c.created_at)
            .limit(SWEPT_AT_ONCE)
        ),
    )
)
_DROP = prepare(
    sa.delete(idempotency_records).where(_r.account_id == ACCOUNT, _r.key_hash == sa.bindparam("key_hash"))
)


class KeptAnswer(msgspec.Struct, frozen=True):
    """The stored answer of a key, and the request that it belongs to."""

    fingerprint: str
    answer: str


def hash_of(key: str) -> str:
    """Return the hash by which a key is stored and found."""
    return sha256(key.encode()).hexdigest()


def find_record(reader: Reader, key: str) -> KeptAnswer | None:
    """Return the stored answer of a key, if it is less than a day old."""
    found = reader.rows(_FIND, key_hash=hash_of(key))
    if not found:
        return None
    *answer, created_at = found[0]
    return KeptAnswer(*answer) if created_at > now_ms() - KEPT_MS else None


def foresee_record(reader: Reader, key: str) -> None:
    """Say that the stored answer of a key will be wanted."""
    reader.foresee(_FIND, key_hash=hash_of(key))


def keep_record(writer: Writer, key: str, record: KeptAnswer) -> None:
    """Store an answer, and delete some that are older than a day."""
    now = now_ms()
    key_hash = hash_of(key)
    writer.run(_SWEEP, before=now - KEPT_MS)
    writer.run(_DROP, key_hash=key_hash)
    writer.run(_KEEP, key_hash=key_hash, fingerprint=record.fingerprint, answer=record.answer, created_at=now)
