"""What paths name a customer by instead of its id: its number, or its id in another system."""

from msgspec import structs

from tradebook.crud.kinds import LINE
from tradebook.crud.records import Values
from tradebook.crud.resource import Name, NamePart
from tradebook.errors import ApiError, ValidationFailed
from tradebook.resources.customers import external_ids
from tradebook.resources.customers.writing import records
from tradebook.storage.database import Reader
from tradebook.text import fold_case, shortened


def _find_by_number(reader: Reader, name: tuple[str, ...]) -> Values | None:
    (number,) = name
    return records.find_by(reader, "number", [number]).get(number)


def _with_number(name: tuple[str, ...], values: Values) -> Values:
    """Complete a body with the number of the path; the case of its letters may be another one."""
    (number,) = name
    said = values.get("number")
    if said is not None and fold_case(said) != fold_case(number):
        raise _contradiction("number", number)
    return {"number": number, **values}


def _find_by_external_id(reader: Reader, name: tuple[str, ...]) -> Values | None:
    system, value = name
    key = external_ids.find_by(reader, system, [value]).get(value)
    return None if key is None else records.find(reader, key)


def _with_external_id(name: tuple[str, ...], values: Values) -> Values:
    """Complete a body with the id of the path."""
    system, value = name
    said = values.get(external_ids.FIELD, {})
    if said is None or said.get(system, value) != value:
        raise _contradiction(f"{external_ids.FIELD}.{system}", value)
    return {**values, external_ids.FIELD: {**said, system: value}}


def _contradiction(param: str, name: str) -> ApiError:
    return ValidationFailed(
        f"The path has the {param} {shortened(name)}, the body another one: leave it out of the body, or "
        "write the same.",
        param=param,
    )


NUMBER = Name(
    (
        NamePart(
            "number",
            structs.replace(LINE, such_as="10001"),
            "The object's number, percent-encoded: the rest of the path. Any case will do.",
        ),
    ),
    _find_by_number,
    _with_number,
)
EXTERNAL_ID = Name(
    (
        NamePart(
            "name", external_ids.NAME, "The name of the other system, percent-encoded. The case counts."
        ),
        NamePart(
            "id",
            structs.replace(LINE, such_as="7244551"),
            "The customer's id there, percent-encoded: the rest of the path. The case counts.",
        ),
    ),
    _find_by_external_id,
    _with_external_id,
)
