"""One line of NDJSON: strict JSON, decimals as they are written, nested addresses made flat."""

import json
from typing import Any, NoReturn

from tradebook.transfer.columns import ADDRESSES, LIST_COLUMNS


def parse_record(text: str, *, nested: bool) -> dict[str, Any]:
    """Read a line into values by column; ValueError says what is wrong with it.

    With `nested`, `{"bill_to": {"name": …}}` becomes `bill_to.name`.
    """
    try:
        record = _DECODER.decode(text.strip())
    except json.JSONDecodeError as error:
        raise ValueError(f"The line is not JSON: {error.msg} at character {error.pos + 1}.") from None
    except RecursionError:
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


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    record = dict(pairs)
    if len(record) != len(pairs):
        raise ValueError("A key is given twice.")
    return record


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON.")


# Numbers stay as they are written: a float would lose what a credit limit says.
_DECODER = json.JSONDecoder(object_pairs_hook=_unique, parse_float=str, parse_int=str, parse_constant=_refuse)
