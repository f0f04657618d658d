"""Puts the product together: the one place that knows every room."""

# Babel and pycountry for the first request that shows an amount, which would wait for them.
import babel.numbers  # noqa: F401
import falcon
import pycountry  # noqa: F401

from tradebook.book import open_database
from tradebook.crud.cursor import load_cursors
from tradebook.resources import ALL, api_keys
from tradebook.settings import Settings, load_settings
from tradebook.storage import readiness
from tradebook.storage.database import Unavailable
from tradebook.web.application import build_app
from tradebook.web.auth import Authenticator, KeyRules
from tradebook.web.bodies import Bodies
from tradebook.web.limits import make_limits
from tradebook.web.page_cache import PageCache
from tradebook.web.service import Service
from tradebook.web.twins import Twins


def create_app(settings: Settings | None = None) -> falcon.App[falcon.Request, falcon.Response]:
    """Make the WSGI application of one worker process."""
    settings = settings or load_settings()
    database = open_database(settings)

    def is_ready() -> bool:
        try:
            return readiness.why_not(database) is None
        except Unavailable:
            return False

    rules = KeyRules(api_keys.authenticate, api_keys.note_use, api_keys.require_standing)
    service = Service(
        database,
        load_cursors(database),
        Authenticator(database, rules, make_limits(settings)),
        PageCache(settings.page_cache_bytes),
        Twins(settings.database, settings.run_folder),
        Bodies(settings.body_bytes_max, settings.body_timeout_ms),
        settings.answer_bytes_max,
    )
    return build_app(
        service,
        ALL,
        is_ready=is_ready,
        log_requests=settings.log_requests,
    )
