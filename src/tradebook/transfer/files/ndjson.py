"""One line of NDJSON: strict JSON, decimals as they are written, nested addresses made flat."""

from typing import Any

from tradebook.crud.strict_json import GivenTwice, NotANumber, NotJson, TooDeep, decode
from tradebook.transfer.columns import ADDRESSES, LIST_COLUMNS
from tradebook.transfer.rows import Record, Value


def parse_record(text: str, *, nested: bool) -> dict[str, Any]:
    """Read a line into values by column; ValueError says what is wrong with it.

    With `nested`, `{"bill_to": {"name": …}}` becomes `bill_to.name`.
    """
    try:
        record = decode(text.strip())
    except NotJson as error:
        raise ValueError(f"The line is not JSON: {error}.") from None
    except NotANumber as error:
        raise ValueError(f"{error.constant} is not JSON.") from None
    except GivenTwice:
        raise ValueError("A key is given twice.") from None
    except TooDeep:
        raise ValueError("The line is nested too deeply.") from None
    if not isinstance(record, dict):
        raise ValueError("The line is not a JSON object.")
    if nested:
        _flatten(record)
        for name, value in record.items():
            _check(name, value)
    return record


def _flatten(record: dict[str, Any]) -> None:
    for address in ADDRESSES:
        inner = record.get(address)
        if isinstance(inner, dict):
            del record[address]
            for name, value in inner.items():
                column = f"{address}.{name}"
                if column in record:
                    raise ValueError(f"{column} is given twice, nested and with a dot.")
                record[column] = value


def _check(name: str, value: Any) -> None:
    if isinstance(value, list):
        if name not in LIST_COLUMNS or not all(isinstance(entry, str) for entry in value):
            raise ValueError(f"{name} can't be a list here; {', '.join(LIST_COLUMNS)} takes a list of names.")
    elif isinstance(value, dict):
        raise ValueError(f"{name} can't be an object.")


def value_at(record: Record, path: str) -> Value:
    """Return what a record has under a name, or at a dotted path into its objects; None where it has none.

    A key of that very name wins over the path.
    """
    if path in record:
        return record[path]
    first, dot, rest = path.partition(".")
    while dot:
        inner = record.get(first)
        if isinstance(inner, dict):
            found = value_at(inner, rest)
            if found is not None:
                return found
        more, dot, rest = rest.partition(".")
        first = f"{first}.{more}"
    return None
