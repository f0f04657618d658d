"""What an API key's secret looks like: made here, read here, and kept as a hash only.

It reads `tb_sk_prod_` or `tb_sk_test_`, then the account, 160 chance bits and a checksum, all in lower-case
Crockford base 32. The account inside makes the look-up start with it; the checksum refuses a mistyped key
without a look at the database.
"""

import hashlib
import re
import secrets
import zlib

from tradebook.errors import InvalidApiKey
from tradebook.ids import decode_body, encode_body

_KEY = re.compile(r"tb_sk_(prod|test)_([0-9a-hjkmnp-tv-z]{13})[0-9a-hjkmnp-tv-z]{39}", re.ASCII)
_CHECK_LENGTH = 7


def new_secret(environment: str, account_id: int) -> str:
    """Make the secret of a new key."""
    chance = "".join(secrets.choice("0123456789abcdefghjkmnpqrstvwxyz") for _ in range(32))
    front = f"tb_sk_{environment}_{encode_body(account_id)}{chance}"
    return front + _check_of(front)


def account_of(secret: str) -> int:
    """Read the account out of a key's text; InvalidApiKey where the text is none of ours."""
    match = _KEY.fullmatch(secret)
    account_id = decode_body(match[2]) if match else None
    if account_id is None or secret[-_CHECK_LENGTH:] != _check_of(secret[:-_CHECK_LENGTH]):
        raise no_such_key()
    return account_id


def no_such_key() -> InvalidApiKey:
    """Say that a key opens nothing, whatever the reason."""
    return InvalidApiKey("There is no such API key. Check that it was copied whole.")


def hash_of(secret: str) -> str:
    """Return what is kept of a secret."""
    # It is 160 chance bits, not a password: one round is as safe as many, and costs every request less.
    return hashlib.sha256(secret.encode()).hexdigest()


def _check_of(front: str) -> str:
    return encode_body(zlib.crc32(front.encode()))[-_CHECK_LENGTH:]
