"""The routes of imports: a file is uploaded, its plan is read, and applied or discarded."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec
import sqlalchemy as sa

from tradebook.clock import format_ms, format_ms_or_none, now_ms
from tradebook.crud.change import Change
from tradebook.crud.kinds import Id, OneOf
from tradebook.crud.parameters import Parameter, Text
from tradebook.crud.records import Records, Values
from tradebook.crud.resource import Action, Asked, ItemRoute, ListRoute, PathObject, Resource, View
from tradebook.crud.uploads import FileBody
from tradebook.crud.walks import select_span
from tradebook.errors import MissingField, RateLimitExceeded, ResourceConflict, ResourceGone
from tradebook.ids import encode_id, milliseconds_of
from tradebook.resources.import_options import ENCODING, MATCH, ONLY, TRUTH
from tradebook.resources.import_shapes import (
    OUTCOMES,
    Import,
    ImportOptions,
    ImportProgress,
    ImportRow,
    ImportSummary,
    Outcome,
)
from tradebook.resources.imports import ID_PREFIX, STATES, State, import_blocks, imports
from tradebook.storage.accounts import accounts
from tradebook.storage.database import Reader
from tradebook.storage.index import Facet
from tradebook.storage.schema import ACCOUNT, prepare

