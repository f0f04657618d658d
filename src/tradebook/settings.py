"""What an operator can set, with the defaults; read once from the environment."""

import os
from collections.abc import Mapping
from typing import Annotated, Any

import msgspec

PREFIX = "TRADEBOOK_"
TEST_PREFIX = "TRADEBOOK_TEST_"
DATABASE_VARIABLE, REPLICAS_VARIABLE = f"{PREFIX}DATABASE", f"{PREFIX}REPLICAS"
KEY_VARIABLE = f"{PREFIX}API_KEY"
_OF_CLIENTS = {KEY_VARIABLE, f"{PREFIX}URL"}
"""What the commands and libraries that ask a book are told; no settings of the server."""

# A higher value would help nobody. Some would not fit where they are kept, and fail at the first request.
_Bytes = Annotated[int, msgspec.Meta(ge=0, le=1 << 40)]
_Requests = Annotated[int, msgspec.Meta(ge=0, le=1_000_000_000)]
_COUNT_MAX, _MS_MAX = 1_000_000, 86_400_000


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """All settings. A setting's environment variable is `TRADEBOOK_` and its name in capitals."""

    database: str = "sqlite:///tradebook.db"
    """Where the book is kept: `sqlite:///FILE` (three slashes: relative, four: absolute), or
    `postgresql://USER:PASSWORD@HOST/DATABASE`."""

    replicas: str = ""
    """URLs of streaming standbys of a PostgreSQL database, separated by spaces. A standby answers a read if
    it has everything that the primary has of the account."""

    replica_timeout_ms: Annotated[int, msgspec.Meta(ge=50, le=_MS_MAX)] = 500
    """How long a read waits for a standby, in milliseconds. Then the standby is not asked for a while."""

    body_bytes_max: _Bytes = 1_048_576
    """The largest request body, in bytes. A larger one is answered with 413."""

    answer_bytes_max: _Bytes = 8_388_608
    """The largest page, in bytes. A list ends before its `limit` where it would be larger, and goes on behind
    its `next_page_url`; one object is answered whatever its size. A list inside an object takes up at most a
    quarter of this."""

    body_timeout_ms: Annotated[int, msgspec.Meta(ge=100, le=60_000)] = 10_000
    """How long a body may take to arrive, in milliseconds. Then the request is answered with 408."""

    send_timeout_ms: Annotated[int, msgspec.Meta(ge=1_000, le=600_000)] = 30_000
    """How long a client may leave an answer unread, in milliseconds. Then its connection is cut."""

    unread_bytes_max: _Bytes = 67_108_864
    """How many bytes of large answers a worker process keeps for clients that have not read them yet. Beyond
    that, those are cut that have asked the longest ago."""

    export_timeout_ms: Annotated[int, msgspec.Meta(ge=1_000, le=_MS_MAX)] = 600_000
    """How long an export may take, in milliseconds. It holds a snapshot of the book as long as its client
    reads; then it is cut."""

    exports_per_account_max: Annotated[int, msgspec.Meta(ge=1, le=_COUNT_MAX)] = 2
    """How many exports an account may have under way in one worker process. Beyond that, they are answered
    with 429."""

    cors_origins: Annotated[
        str,
        msgspec.Meta(
            pattern=r"^\s*(\*|https?://[^\s,/?#]+([\s,]+https?://[^\s,/?#]+)*)?\s*$",
            description="origins such as `https://app.example.com`, or `*`",
        ),
    ] = ""
    """Pages of which origins may call the API from a browser: `https://app.example.com`, several with spaces
    or commas between them, or `*` for all. Default: none."""

    import_bytes_max: _Bytes = 1_073_741_824
    """The largest file of an import over HTTP, in bytes. A larger one is answered with 413."""

    import_folder: str = ""
    """Where files of imports over HTTP are kept until they are read, on a disk with room for them. Default:
    beside an embedded book, in a folder with its name and `-imports` behind it; for a book on a server,
    `tradebook-imports-UID` in `/var/tmp`."""

    uploads_per_account_max: Annotated[int, msgspec.Meta(ge=1, le=_COUNT_MAX)] = 2
    """How many uploads an account may have under way in one worker process. Beyond that, they are answered
    with 429."""

    connections_max: Annotated[int, msgspec.Meta(ge=8, le=_COUNT_MAX)] = 16_384
    """How many connections may be open, in all worker processes together. Beyond that, those are closed that
    have been silent the longest."""

    connections_per_address_max: Annotated[int, msgspec.Meta(ge=1, le=_COUNT_MAX)] = 1_024
    """The same for one client address in one worker process. A proxy is one address."""

    read_queue_ms: Annotated[int, msgspec.Meta(ge=1, le=_MS_MAX)] = 100
    """How long a request that reads may have to wait for its turn, in milliseconds. Where the line is longer,
    it is answered with 503 at once. Where that lasts for as long, few may wait."""

    write_queue_ms: Annotated[int, msgspec.Meta(ge=1, le=_MS_MAX)] = 250
    """The same for a request that changes the book."""

    page_cache_bytes: _Bytes = 16_777_216
    """How much memory one worker process uses for finished pages, in bytes. 0 turns the cache off."""

    database_timeout_ms: Annotated[int, msgspec.Meta(ge=100, le=_MS_MAX)] = 2_000
    """How long a statement waits for another writer, or for a database that does not answer, in milliseconds.
    Then the request is answered with 503."""

    rate_limit: _Requests = 60_000
    """How many requests a key may send within the window. 0 turns the limit off. Requests without a valid key
    are counted by the address that they come from."""

    account_rate_limit: _Requests = 240_000
    """How many requests all keys of an account may send within the window, together. 0: no such limit."""

    rate_limit_seconds: Annotated[int, msgspec.Meta(ge=1, le=31_536_000)] = 60
    """The window of the rate limit, in seconds."""

    rate_limit_storage: Annotated[
        str,
        msgspec.Meta(
            pattern=r"^(rediss?(\+(unix|sentinel|cluster))?://\S+)?$",
            description="a URL that begins with `redis://` or `rediss://`",
        ),
    ] = ""
    """Where several machines count together: `redis://HOST`, a Redis or Valkey server. Default: each machine
    counts by itself, all its worker processes together."""

    run_folder: str = ""
    """Where the worker processes of a machine keep what they count together: a folder of their user alone,
    with the mode 0700. Default: `tradebook` in `$XDG_RUNTIME_DIR`, or `tradebook-UID` in the folder for
    temporary files."""

    log_requests: bool = True
    """Whether every request is logged as one line of JSON on standard error."""


def load_settings(environment: Mapping[str, str] = os.environ) -> Settings:
    """Read the settings from `TRADEBOOK_…` variables; ValueError names the variable that can't be read."""
    found = {}
    for name, field in _variables().items():
        if name in environment:
            try:
                found[field.name] = msgspec.convert(environment[name], field.type, strict=False)
            except msgspec.ValidationError:
                raise ValueError(
                    f"{name}={environment[name]!r} can't be read: it takes {takes(field.type)}."
                ) from None
    return Settings(**found)


def takes(kind: Any) -> str:
    """Say which values a setting of this type can have."""
    if kind is bool:
        return "`true` or `false`"
    if kind is str:
        return "text"
    (bounds,) = kind.__metadata__
    return bounds.description or f"a whole number from {bounds.ge} to {bounds.le}"


def unknown_variables() -> list[str]:
    """List the variables that look like settings but are not: most likely they are misspelt."""
    known = {*_variables(), *_OF_CLIENTS}
    ours = (name for name in os.environ if name.startswith(PREFIX))
    return [name for name in ours if name not in known and not name.startswith(TEST_PREFIX)]


def _variables() -> dict[str, msgspec.structs.FieldInfo]:
    return {f"{PREFIX}{field.name.upper()}": field for field in msgspec.structs.fields(Settings)}
