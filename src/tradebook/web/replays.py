"""Requests with an Idempotency-Key: how they are recognised, and how their answers are stored and found."""

import re
from base64 import urlsafe_b64encode
from collections.abc import Callable
from hashlib import sha256

import falcon
import msgspec
from cryptography.fernet import Fernet, InvalidToken

from tradebook.crud.idempotency import KeptAnswer, find_record, foresee_record, keep_record
from tradebook.errors import IdempotencyKeyReused, ParameterInvalid
from tradebook.storage.database import Reader, Writer
from tradebook.web.account_header import sent_headers
from tradebook.web.auth import secret_of
from tradebook.web.envelope import Answer

HEADER = "Idempotency-Key"
KEY_LENGTH_MAX = 255
REPLAYED = ("Idempotent-Replayed", "true")
MEANT = ("If-Match", "Content-Type", "Content-Encoding")
"""Headers that a request can be refused for. If one differs, it is a different request."""
NOT_IDEMPOTENT = frozenset({"POST", "PATCH"})
"""The methods that a key makes safe to repeat. The others are safe by themselves."""
KEPT_BYTES_MAX = 65_536
"""The largest answer that is stored. A larger one is made anew when it is asked for again."""
_GOOD_KEY = re.compile(r"[\x20-\x7e]+", re.ASCII)


class Shown(msgspec.Struct, frozen=True):
    """An object as it is answered."""

    body: bytes
    etag: str

    def telling(self, more: bytes) -> "Shown":
        """Return the object with the members of another one behind its own."""
        return Shown(self.body[:-1] + b"," + more[1:], self.etag)


class Again(msgspec.Struct, frozen=True):
    """What is stored in the place of an answer that is too large."""

    key: int | None = None
    """Which object it shows; None for a preview, which is then asked for again as if for the first time."""
    plain: bytes | None = None
    """The object without what was included, for when it is gone."""
    more: bytes | None = None
    """What was told beside the object, which can't be read again."""


Anew = Callable[[Reader, int], Shown | None]
"""Reads the object of a key as the request asks for it; None if it is gone."""


class Replay(msgspec.Struct, frozen=True):
    """One request with an Idempotency-Key."""

    key: str
    fingerprint: str
    seal: Fernet | None
    """Encrypts an answer that contains a secret, so that a reader of the database can't read it."""

    def foresee(self, reader: Reader) -> None:
        """Say that the stored answer will be wanted."""
        foresee_record(reader, self.key)

    def find(self, reader: Reader, anew: Anew) -> Answer | None:
        """Return the stored answer, if any; IdempotencyKeyReused if it belongs to a different request.

        `anew` reads the object of an answer that was too large to be stored. A preview that was too large
        counts as not answered: nothing was done.
        """
        record = find_record(reader, self.key)
        if record is None:
            return None
        if record.fingerprint != self.fingerprint:
            raise _reused()
        try:
            kept = record.answer if self.seal is None else self.seal.decrypt(record.answer.encode()).decode()
        except InvalidToken:
            raise _reused() from None
        answer = msgspec.json.decode(kept, type=_Kept)
        if answer.is_preview:
            return None
        body = None if answer.body is None else answer.body.encode()
        headers = answer.headers
        shown = None if answer.key is None else anew(reader, answer.key)
        if shown is not None:
            shown = shown if answer.more is None else shown.telling(answer.more.encode())
            body = shown.body
            headers = (*(pair for pair in headers if pair[0] != "ETag"), ("ETag", shown.etag))
        return Answer(answer.status, body, (*headers, REPLAYED))

    def keep(self, writer: Writer, answer: Answer, again: Again | None) -> None:
        """Store an answer, in the transaction of its change; or how to make it anew where it is too large."""
        body = answer.body if again is None else again.plain
        more = None if again is None else again.more
        if body is not None and more is not None:
            body = Shown(body, "").telling(more).body
        kept_answer = _Kept(
            answer.status,
            None if body is None else body.decode(),
            answer.headers,
            None if again is None else again.key,
            again is not None and again.key is None,
            None if more is None else more.decode(),
        )
        text = msgspec.json.encode(kept_answer)
        kept = text if self.seal is None else self.seal.encrypt(text)
        keep_record(writer, self.key, KeptAnswer(self.fingerprint, kept.decode()))


class _Kept(msgspec.Struct, frozen=True):
    status: int
    body: str | None
    headers: tuple[tuple[str, str], ...]
    key: int | None = None
    """The key of the object that is read anew; the body then is only for when it is gone."""
    is_preview: bool = False
    """Whether it was a preview too large to be stored, which is made anew."""
    more: str | None = None
    """What was told beside the object that is read anew."""


def replay_of(
    request: falcon.Request, body: str, *, has_secret: bool, content_type: str | None = None
) -> Replay | None:
    """Read the header; None if the request has none, or is neither POST nor PATCH.

    `body` is a hash of it; `content_type` is what the request means, where it says that in many ways.
    """
    key = request.get_header(HEADER)
    if key is None or request.method not in NOT_IDEMPOTENT:
        return None
    if not 1 <= len(key) <= KEY_LENGTH_MAX or not _GOOD_KEY.fullmatch(key):
        raise ParameterInvalid(
            f"{HEADER} takes 1 to {KEY_LENGTH_MAX} printable ASCII characters, such as a UUID.", param=HEADER
        )
    known_by = [
        request.method,
        request.path,
        request.env.get("QUERY_STRING", ""),
        body,
        *(_meant(request, name, content_type) for name in MEANT),
        *sent_headers(request),
    ]
    fingerprint = sha256(msgspec.json.encode(known_by)).hexdigest()
    seal = None
    if has_secret:
        # A client that repeats the request has both; the database has neither.
        secret = f"{secret_of(request.env.get('HTTP_AUTHORIZATION'))}\n{key}".encode(
            "utf-8", "surrogateescape"
        )
        seal = Fernet(urlsafe_b64encode(sha256(secret).digest()))
    return Replay(key, fingerprint, seal)


def _meant(request: falcon.Request, name: str, content_type: str | None) -> str:
    if name == "Content-Type" and content_type is not None:
        return content_type
    return request.get_header(name, default="")


def _reused() -> IdempotencyKeyReused:
    return IdempotencyKeyReused(
        f"This {HEADER} was used for a different request. Send that one unchanged, or choose a new key.",
        param=HEADER,
    )
