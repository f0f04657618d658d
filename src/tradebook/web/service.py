"""What every route works with."""

import msgspec

from tradebook.crud.cursor import Cursors
from tradebook.storage.database import Database
from tradebook.web.auth import Authenticator
from tradebook.web.bodies import Bodies
from tradebook.web.page_cache import PageCache
from tradebook.web.twins import Twins
from tradebook.web.under_way import UnderWay
from tradebook.web.uploads import Uploads

ACCOUNT_PREFIX = "ac"
"""The prefix of account ids in the log."""


class Service(msgspec.Struct, frozen=True):
    """What every route works with."""

    database: Database
    cursors: Cursors
    authenticator: Authenticator
    pages: PageCache
    twins: Twins
    bodies: Bodies
    uploads: Uploads
    exports: UnderWay
    export_seconds_max: float
    answer_bytes_max: int
    """How large an answer may be: a list ends before."""
