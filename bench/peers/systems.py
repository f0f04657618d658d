"""The peers: how each is started, on which engines, and how it spells what all of them are asked."""

import os
from base64 import b64encode
from collections.abc import Callable, Mapping
from pathlib import Path
from urllib.parse import quote, urlencode

import msgspec

from bench.asking import Ask
from bench.peers.models import PLAIN
from bench.servers import ROOT, Server

BIN = Path(os.environ.get("PEERS_BIN", ROOT / ".peers" / "bin"))
LAST = 2**63 - 1
ON_SQLITE = {
    "random page": 8.0,
    "repeated page": 40.0,
    "random page, all includes": 25.0,
    "create": 2.0,
}
"""How many times as fast Tradebook has to be as peers that `is_barred`; repeated pages by processor time."""

ON_POSTGRES = 1.5
"""The same for each kind of work and each peer."""


class Peer(msgspec.Struct, frozen=True):
    """A system that is measured beside Tradebook."""

    name: str
    command: tuple[str, ...]
    path: Callable[[Ask], str | None]
    """Spells a question; None for one that it can't be asked sensibly."""
    first: str = "/customers"
    engines: tuple[str, ...] = ("SQLite", "PostgreSQL")
    makes: bool = True
    is_barred: bool = False

    def bar(self, engine: str, work: str) -> float | None:
        """How many times as fast Tradebook has to be."""
        if engine == "PostgreSQL":
            return ON_POSTGRES
        return ON_SQLITE.get(work) if self.is_barred else None

    def server(self, url: str) -> Server:
        """Return the peer's server on a plain book of its own."""
        command = [part.replace("{file}", url.removeprefix("sqlite:///")) for part in self.command]
        settings = {"PEER_DATABASE": url, "PYTHONPATH": str(ROOT)}
        return Server(self.name, [str(BIN / command[0]), *command[1:]], settings, path=self.first)

    def request(self, server: Server, ask: Ask, like: tuple[int, int, int, int]) -> bytes | None:
        """Write a question as it goes over the wire."""
        if ask.made is not None:
            return server.request("/customers", made(ask, like)) if self.makes else None
        path = self.path(ask)
        return None if path is None else server.request(path)


def made(ask: Ask, like: tuple[int, int, int, int]) -> bytes:
    """Write the customer that Tradebook is given, as the plain schema has it."""
    names = ("type_id", "carrier_id", "payment_term_id", "shipping_term_id")
    address = {"name": f"Bench {ask.made}", "country": "DE", "locality": "Ulm", "state": "BW"}
    return msgspec.json.encode(
        {
            "name": f"Bench {ask.made}",
            "number": str(ask.made),
            **dict(zip(names, like, strict=True)),
            "bill_to_address": address,
            "ship_to_address": {**address, "name": f"Dock {ask.made}"},
        }
    )


def _spelled(ask: Ask, place: Mapping[str, object]) -> str:
    narrowed = {name: value for name in ("status", "state", "q") if (value := getattr(ask, name))}
    path = "/whole" if ask.is_whole else "/customers"
    query = urlencode({**place, **narrowed})
    return f"{path}?{query}" if query else path


def by_key(ask: Ask) -> str:
    """Spell a question for a peer whose pages begin before a key."""
    return _spelled(ask, {} if ask.before is None else {"before": ask.before})


def by_key_alone(ask: Ask) -> str | None:
    """Spell a question for a peer that shows customers alone."""
    return None if ask.is_whole else by_key(ask)


def by_cursor(ask: Ask) -> str:
    """Spell a question for Django REST framework, whose cursors are positions in base 64."""
    if ask.before is None:
        return _spelled(ask, {})
    return _spelled(ask, {"cursor": b64encode(urlencode({"p": ask.before}).encode()).decode()})


DATASETTE = "/plain/customers.json"
_SHAPE = [("_shape", "objects"), ("_size", "100"), ("_sort_desc", "id"), ("_nocount", "1"), ("_nofacet", "1")]


def by_table(ask: Ask) -> str | None:
    """Spell a question for Datasette, which serves tables."""
    if ask.is_whole:
        return None
    query = [*_SHAPE, *(("_col", name) for name in PLAIN)]
    if ask.before is not None:
        query.append(("id__lt", str(ask.before)))
    if ask.status:
        query.append(("status", ask.status))
    if ask.state:
        query.append(("_where", f"id IN (SELECT customer_id FROM addresses WHERE state = '{ask.state}')"))
    if ask.q:
        # Cut off inside, as the others do: its own search would sort all that match.
        words = '"' + ask.q.replace("'", "''") + '"'
        query.append(
            (
                "_where",
                f"id IN (SELECT rowid FROM customers_fts WHERE customers_fts MATCH '{words}'"
                f" AND rowid < {ask.before or LAST} ORDER BY rowid DESC LIMIT 101)",
            )
        )
    return f"{DATASETTE}?{urlencode(query, quote_via=quote)}"


def _uvicorn(module: str) -> tuple[str, ...]:
    options = ("--host", "127.0.0.1", "--port", "{port}", "--no-access-log", "--log-level", "warning")
    return ("uvicorn", f"bench.peers.{module}:app", *options)


PEERS = (
    Peer("FastAPI, ORM, Pydantic", _uvicorn("fastapi_orm"), by_key, is_barred=True),
    Peer("FastAPI tuned", _uvicorn("fastapi_core"), by_key_alone),
    Peer(
        "Django REST framework",
        (
            "gunicorn", "--bind", "127.0.0.1:{port}", "--workers", "1", "--threads", "8",
            "--keep-alive", "60", "--log-level", "warning", "bench.peers.django_rest",
        ),
        by_cursor,
        is_barred=True,
    ),
    Peer("Litestar, ORM, msgspec", _uvicorn("litestar_orm"), by_key),
    Peer(
        "Datasette",
        (
            "datasette", "serve", "{file}", "--host", "127.0.0.1", "--port", "{port}",
            "--setting", "max_returned_rows", "1000", "--setting", "sql_time_limit_ms", "20000",
        ),
        by_table,
        first=f"{DATASETTE}?_size=1&_nocount=1&_nofacet=1",
        engines=("SQLite",),
        makes=False,
    ),
)  # fmt: skip
