"""Entity tags (RFC 9110): the `ETag` of answers, and `If-Match` and `If-None-Match` of requests."""

import re
from hashlib import blake2b
from typing import Any

import msgspec

from tradebook.clock import read_ms
from tradebook.crud.versions import version_of
from tradebook.errors import ParameterInvalid
from tradebook.web.compression import without_encoding

IF_MATCH, IF_NONE_MATCH = "If-Match", "If-None-Match"
ANY = "*"
_UPDATED_AT = b'"updated_at":"'
_ENTRY = re.compile(r'(?:[^",]|"[^"]*"?)+')
_STRONG = re.compile(r'"[^\x00-\x20"\x7f]*"')
_WEAK = "W/"


def etag_of(shown: Any, body: bytes) -> str:
    """Make the ETag of a finished object: its version, for `If-Match`, then a hash of the whole answer."""
    updated_at = _updated_at(shown)
    version = version_of(0 if updated_at is None else read_ms(updated_at))
    return f'"{version}-{blake2b(body, digest_size=8).hexdigest()}"'


def _updated_at(shown: Any) -> str | None:
    if not isinstance(shown, msgspec.Raw):
        found: str | None = getattr(shown, "updated_at", None)
        return found
    # Finished JSON. What is inside the object comes before its own time.
    _, key, end = bytes(shown).rpartition(_UPDATED_AT)
    return end.partition(b'"')[0].decode() if key else None


def tags_of(header: str) -> list[str]:
    """Split a list of tags at its commas, except those inside a tag; empty entries are left out."""
    return [tag for entry in _ENTRY.findall(header) if (tag := entry.strip(" \t"))]


def is_known(tag: str, if_none_match: str) -> bool:
    """Tell whether `If-None-Match` names this tag, weak or not, or that of a compressed form.

    Anything that is not a tag is ignored.
    """
    known = {without_encoding(entry.removeprefix(_WEAK)) for entry in tags_of(if_none_match)}
    return tag in known or ANY in known


def expected_versions(if_match: str | None) -> frozenset[str] | None:
    """Read which versions `If-Match` allows; None for any, ParameterInvalid if it is not a list of tags.

    RFC 9110 compares tags strongly here: a weak tag never matches.
    """
    if if_match is None:
        return None
    tags = tags_of(if_match)
    if tags == [ANY]:
        return None
    strong = [tag for tag in tags if not tag.startswith(_WEAK)]
    if not tags or not all(_STRONG.fullmatch(tag.removeprefix(_WEAK)) for tag in tags):
        raise ParameterInvalid(
            f"{IF_MATCH} takes an ETag unchanged, with its quotation marks, or several with commas between "
            "them, or *.",
            param=IF_MATCH,
        )
    return frozenset(tag[1:].partition("-")[0] for tag in strong if "-" in tag)


def is_only_new(if_none_match: str | None) -> bool:
    """Tell whether a change is only to create; ParameterInvalid if the header asks for anything else."""
    if if_none_match is None:
        return False
    if tags_of(if_none_match) != [ANY]:
        raise ParameterInvalid(
            f"{IF_NONE_MATCH} takes * here, which only creates. To change a version that you know, send "
            f"{IF_MATCH}.",
            param=IF_NONE_MATCH,
        )
    return True
