"""The secrets of API keys: how they are made and read. Only a hash of a secret is stored.

A secret is `tb_sk_prod_` or `tb_sk_test_`, then the account, 160 random bits and a checksum, all in
lower-case Crockford base 32. The account inside tells where to look the key up. The checksum refuses a
mistyped key without asking the database.
"""

import hashlib
import re
import secrets
import zlib

from tradebook.errors import InvalidCredentials
from tradebook.ids import decode_body, encode_body

_KEY = re.compile(r"tb_sk_(prod|test)_([0-9a-hjkmnp-tv-z]{13})[0-9a-hjkmnp-tv-z]{39}", re.ASCII)
_CHECK_LENGTH = 7


def new_secret(environment: str, account_id: int) -> str:
    """Make the secret of a new key."""
    chance = "".join(secrets.choice("0123456789abcdefghjkmnpqrstvwxyz") for _ in range(32))
    front = f"tb_sk_{environment}_{encode_body(account_id)}{chance}"
    return front + _check_of(front)


def account_of(secret: str) -> int:
    """Read the account out of a key's text; InvalidCredentials if the text is not such a key."""
    match = _KEY.fullmatch(secret)
    account_id = decode_body(match[2]) if match else None
    if account_id is None or secret[-_CHECK_LENGTH:] != _check_of(secret[:-_CHECK_LENGTH]):
        raise no_such_key()
    return account_id


def no_such_key() -> InvalidCredentials:
    """Return the error for a key that does not exist, in the same words for every reason."""
    return InvalidCredentials("There is no such API key. Check that it was copied whole.")


def redacted(environment: str, last_four: str) -> str:
    """Write what may be shown of a secret: how it begins, and its last four characters."""
    return f"tb_sk_{environment}_****{last_four}"


def hash_of(secret: str) -> str:
    """Return the hash of a secret, which is what is stored."""
    # A secret has 160 random bits and is no password: one round of hashing is as safe as many, and faster.
    return hashlib.sha256(secret.encode()).hexdigest()


def _check_of(front: str) -> str:
    return encode_body(zlib.crc32(front.encode()))[-_CHECK_LENGTH:]
