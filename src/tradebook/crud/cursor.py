"""Cursors: a position in one list, authenticated and bound to that list.

A position lies between rows: rows with a smaller key come after it, all others before it. So no row has
to exist for it, and the first and the last page are no special cases.
"""

import hmac
import re
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from contextlib import suppress
from functools import cached_property, partial

import msgspec
import sqlalchemy as sa

from tradebook.errors import ParameterInvalid
from tradebook.storage.accounts import deployment
from tradebook.storage.database import Database, Duplicate, Unavailable
from tradebook.storage.schema import prepare_of_all_accounts

CURSOR_LENGTH = 28
SECRET_BYTES = 32
_VERSION = 1
_HEAD_BYTES, _TAG_BYTES = 9, 12
_CURSOR = re.compile(f"[A-Za-z0-9_-]{{{CURSOR_LENGTH}}}")
_SECRET_NAME = "cursor_secret"  # noqa: S105 - where it is kept, not what it is
_SECRET = prepare_of_all_accounts(
    sa.select(deployment.c.value).where(deployment.c.name == sa.bindparam("name"))
)
_NEW_SECRET = prepare_of_all_accounts(sa.insert(deployment))


class Position(msgspec.Struct, frozen=True):
    """Where a page begins, and in which direction it goes on from there."""

    key: int
    backwards: bool = False


class Cursors:
    """Writes and reads cursors with the deployment's secret."""

    def __init__(self, load: Callable[[], bytes]) -> None:
        self._load = load

    @cached_property
    def _begun(self) -> hmac.HMAC:
        # Begun with the secret once: `hmac.digest` begins anew each time, which takes three times as long.
        return hmac.new(self._load(), digestmod="sha256")

    def prepare(self) -> None:
        """Load the secret now, if the book can be read; otherwise with the first cursor."""
        with suppress(Unavailable):
            _ = self._begun

    def encode(self, position: Position, scope: bytes) -> str:
        """Write a position as 28 characters that are valid for this scope only.

        The scope is the account, the path and the filters; `limit` and `include` may change between
        pages.
        """
        head = bytes((_VERSION << 1 | position.backwards,)) + position.key.to_bytes(8, "big")
        return urlsafe_b64encode(head + self._tag(head, scope)).decode()

    def decode(self, text: str, scope: bytes, *, param: str) -> Position:
        """Read a cursor that was made for the same scope; ParameterInvalid for anything else."""
        # 28 characters are 21 bytes: with no bit to spare, each position has one spelling.
        raw = urlsafe_b64decode(text) if _CURSOR.fullmatch(text) else bytes(_HEAD_BYTES)
        head, tag = raw[:_HEAD_BYTES], raw[_HEAD_BYTES:]
        if not hmac.compare_digest(tag, self._tag(head, scope)) or head[0] >> 1 != _VERSION:
            raise ParameterInvalid(
                "This cursor is damaged, or was made for other filters, another list or another account. "
                "Take it unchanged from next_page_url or previous_page_url, together with the same filters, "
                "or leave it out for the first page.",
                param=param,
            )
        return Position(int.from_bytes(head[1:], "big"), backwards=bool(head[0] & 1))

    def _tag(self, head: bytes, scope: bytes) -> bytes:
        keyed = self._begun.copy()
        keyed.update(head + scope)
        return keyed.digest()[:_TAG_BYTES]


def load_cursors(database: Database) -> Cursors:
    """Make cursors with the book's secret, which is made the first time. So cursors survive restarts."""
    cursors = Cursors(partial(_load_secret, database))
    cursors.prepare()
    return cursors


def _load_secret(database: Database) -> bytes:
    found = database.rows_of_all_accounts(_SECRET, name=_SECRET_NAME)
    if not found:
        try:
            chance = secrets.token_bytes(SECRET_BYTES)
            database.run_of_all_accounts(_NEW_SECRET, name=_SECRET_NAME, value=chance)
        except Duplicate:
            pass  # Another process was first: use its secret.
        found = database.rows_of_all_accounts(_SECRET, name=_SECRET_NAME)
    return bytes(found[0][0])
