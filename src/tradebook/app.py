"""Puts the product together: the one place that knows every room."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

# Babel and pycountry for the first request that shows an amount, which would wait for them.
import babel.numbers  # noqa: F401
import falcon
import pycountry  # noqa: F401

from tradebook.book import open_database, uploads_of
from tradebook.crud.cursor import load_cursors
from tradebook.resources import ALL, api_keys, customers, import_routes
from tradebook.settings import Settings, load_settings
from tradebook.storage import readiness
from tradebook.storage.database import Database
from tradebook.storage.location import locate
from tradebook.storage.transactions import reading
from tradebook.transfer.exports.run import csv_blocks
from tradebook.web import metrics
from tradebook.web.agents import AGENTS_PATH, Exchange
from tradebook.web.application import OPEN_PATHS, build_app
from tradebook.web.auth import Authenticator, KeyRules
from tradebook.web.bodies import Bodies
from tradebook.web.changing import More
from tradebook.web.connections import Connections
from tradebook.web.cors import Cors
from tradebook.web.inside import Inside
from tradebook.web.limits import make_limits
from tradebook.web.page_cache import PageCache
from tradebook.web.repeats import Repeats
from tradebook.web.rsgi import Threads, Worker
from tradebook.web.service import Service
from tradebook.web.tracing import Tracing, make_tracing
from tradebook.web.twins import Twins
from tradebook.web.under_way import UnderWay
from tradebook.web.uploads import Uploads

if TYPE_CHECKING:
    from tradebook.mcp.asking import Book

ON_A_FILE = Threads(reading=0, writing=1, of_each=16, at_once=12, agents=1)
"""Reading waits for nothing, and all writers for one lock: those that come at once share a commit."""

ON_A_SERVER = Threads(reading=8, writing=16, of_each=1, at_once=12, agents=2)
"""Whoever asks a server waits for its answer, and others can ask meanwhile. Writers share a commit."""


def _of_uploads(name: str) -> Callable[..., Any]:
    """Return a function of what knows files and plans, which most workers never need."""

    def called(*told: Any) -> Any:
        from tradebook.transfer.imports import uploaded  # noqa: PLC0415

        return getattr(uploaded, name)(*told)

    return called


MORE = {
    import_routes.PATH: More(check=_of_uploads("check")),
    import_routes.APPLY: More(look=_of_uploads("require_not_overtaken"), act=_of_uploads("apply")),
}
"""What imports are of two rooms for: the routes of one, and what the other one knows of files and plans."""

_LOOKS_LONG = import_routes.APPLY.rpartition("}")[2]
"""The end of paths whose requests look at much before they change anything."""

App = falcon.App[falcon.Request, falcon.Response]


def create_worker(
    port: int, connections_max: int, parent: int, on_listening: Callable[[], object] = lambda: None
) -> Worker:
    """Make what a worker process serves on a port, as long as its parent process lives."""
    settings = load_settings()
    tracing = make_tracing()
    app, service = _put_together(settings, tracing)
    connections = Connections(
        port,
        per_address_max=settings.connections_per_address_max,
        in_all_max=connections_max,
        send_seconds_max=settings.send_timeout_ms / 1000,
        unread_bytes_max=settings.unread_bytes_max,
    )
    is_embedded = locate(settings.database).is_embedded
    worker = Worker(
        app,
        service.bodies,
        service.uploads,
        service.authenticator,
        threads=ON_A_FILE if is_embedded else ON_A_SERVER,
        is_long=lambda path: path.endswith(_LOOKS_LONG),
        read_queue_seconds=settings.read_queue_ms / 1000,
        write_queue_seconds=settings.write_queue_ms / 1000,
        connections=connections,
        cors=Cors(settings.cors_origins),
        send_seconds_max=settings.send_timeout_ms / 1000,
        repeats=_repeats_of(settings, service) if tracing is None else None,
        gather=service.database.gather if is_embedded else None,
        parent=parent,
        on_listening=on_listening,
        close=partial(_close, service.database, tracing),
    )
    metrics.begin(lambda: (worker.lengths(), connections.number, service.database.figures()))
    return worker


def _repeats_of(settings: Settings, service: Service) -> Repeats | None:
    # A server has to be asked for the revision, which takes several times longer than the application does.
    if not locate(settings.database).is_embedded:
        return None
    return Repeats(
        service.authenticator, service.pages, service.database.revision, log_requests=settings.log_requests
    )


def _close(database: Database, tracing: Tracing | None) -> None:
    database.close()
    if tracing is not None:
        tracing.close()


def templates() -> list[str]:
    """List the paths of all routes, as they are declared."""
    return [*(route.path for resource in ALL for route in resource.routes), *OPEN_PATHS, AGENTS_PATH]


def create_app(settings: Settings | None = None) -> App:
    """Make the WSGI application alone, which reads a body that is there as a whole."""
    return _put_together(settings or load_settings())[0]


def _put_together(settings: Settings, tracing: Tracing | None = None) -> tuple[App, Service]:
    database = open_database(settings)
    if tracing is not None:
        database = tracing.of(database)

    rules = KeyRules(api_keys.authenticate, api_keys.note_use, api_keys.require_standing)
    service = Service(
        database,
        load_cursors(database),
        Authenticator(database, rules, make_limits(settings)),
        PageCache(settings.page_cache_bytes),
        Twins(settings.database, settings.run_folder),
        Bodies(settings.body_bytes_max, settings.body_timeout_ms),
        Uploads(
            uploads_of(settings),
            bytes_max=settings.import_bytes_max,
            text_bytes_max=settings.body_bytes_max,
            seconds_max=settings.body_timeout_ms / 1000,
            of_account_max=settings.uploads_per_account_max,
        ),
        UnderWay("exports", settings.exports_per_account_max),
        settings.export_timeout_ms / 1000,
        settings.answer_bytes_max,
    )
    app = build_app(
        service,
        ALL,
        is_ready=partial(readiness.is_ready, database),
        load_agents=partial(_load_agents, database),
        cors=Cors(settings.cors_origins),
        csv_of={customers.PATH: csv_blocks},
        more=MORE,
        log_requests=settings.log_requests,
        tracing=tracing,
    )
    return app, service


def _load_agents(database: Database) -> Exchange:
    # Late: it takes half as much memory as a worker that never needs it.
    from tradebook.mcp.asking import Book  # noqa: PLC0415
    from tradebook.mcp.server import answer_http  # noqa: PLC0415

    def exchange(inside: Inside, raw: bytes, headers: Mapping[str, str]) -> tuple[int, bytes]:
        return answer_http(Book(inside, partial(reading, database)), raw, headers)

    return exchange


@contextmanager
def opened_for_agent(settings: Settings, key: str, *, may_write: bool) -> "Iterator[Book]":
    """Open the book of a key for tools in this process; an ApiError refuses the key."""
    from tradebook.mcp.asking import Book  # noqa: PLC0415

    app, service = _put_together(settings)
    with closing(service.database):
        inside = Inside(app, service.authenticator, f"Bearer {key}", address="127.0.0.1")
        inside.grant()
        yield Book(inside, partial(reading, service.database), may_write=may_write)
