"""What a map says of one column: where it comes from, and how it is read; each word is read here."""

from collections.abc import Callable, Iterable, Mapping
from datetime import tzinfo
from typing import Any

import msgspec

from tradebook.crud.kinds import EMAIL, NOTE
from tradebook.resources.quantities import Decimal
from tradebook.transfer.cells import CreatedAt
from tradebook.transfer.columns import LIST_COLUMNS, Column, column_named
from tradebook.transfer.maps.amounts import amount_reader
from tradebook.transfer.maps.dates import date_reader, read_formats, read_zone
from tradebook.transfer.maps.pieces import (
    Take,
    email_addresses,
    line_of,
    read_line,
    read_take,
    splitter,
    taken,
)
from tradebook.transfer.maps.sources import (
    ABSENT,
    CellError,
    ForeignRow,
    Headings,
    Read,
    as_text,
    is_empty,
    reader,
)
from tradebook.transfer.maps.words import Reader, one_of, stripped_texts, text, texts, whole
from tradebook.transfer.rows import Dated, Value
