"""The arguments of a tool, read strictly: what is unknown is refused, never dropped."""

import json
from collections.abc import Collection, Iterable, Mapping
from difflib import get_close_matches
from typing import Any

from tradebook.errors import InvalidFormat, ParameterInvalid, ParameterMissing, ParameterUnknown
from tradebook.mcp.asking import Refused
from tradebook.text import fold_case, shortened

NEAR, SPELLING_MAX, SUGGESTIONS_MAX = 0.5, 100, 3
"""How near a name is that is suggested, how much of a text is compared, and how many are suggested."""

DIGITS_MAX = 30
"""How long a number is at most that is taken for text, such as a customer's number."""

_FORMS = {
    "string": (str, "text"),
    "integer": (int, "a whole number"),
    "boolean": (bool, "true or false"),
    "array": (list, "an array"),
    "object": (dict, "an object"),
}


def taken(arguments: Mapping[str, Any], schema: Mapping[str, Any]) -> dict[str, Any]:
    """Read arguments by the schema that the tool shows. Null stays: the API says where it may not."""
    _require_writable(arguments)
    properties: dict[str, Any] = schema["properties"]
    for name in arguments:
        if name not in properties:
            raise _unknown(name, list(properties))
    for name in schema.get("required", ()):
        if arguments.get(name) is None:
            raise missing(name, properties[name])
    return {name: _value(name, value, properties[name]) for name, value in arguments.items()}


def _require_writable(arguments: Mapping[str, Any]) -> None:
    """Refuse what Python reads as JSON, and nobody could write as JSON again."""
    try:
        json.dumps(arguments, allow_nan=False, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        raise Refused(
            InvalidFormat.code,
            "The arguments have half a character (a lone surrogate), NaN, or very many levels.",
        ) from None


def missing(name: str, described: Mapping[str, Any] | None = None) -> Refused:
    """Make the refusal of a call that lacks an argument."""
    hint = (described or {}).get("description", "")
    return Refused(ParameterMissing.code, f"{name} is missing. {hint}".rstrip())


def invalid(name: str, takes: str) -> Refused:
    """Make the refusal of a value; `takes` goes on behind the argument's name."""
    return Refused(ParameterInvalid.code, f"{name} {takes}" if takes.endswith("?") else f"{name} {takes}.")


def did_you_mean(text: str, names: Mapping[str, str] | Iterable[str]) -> str:
    """Suggest names, as the end of a sentence: first those that hold the text, or are held by it.

    A mapping has what is shown for each name.
    """
    shown_for = names if isinstance(names, Mapping) else {name: name for name in names}
    known = {fold_case(name): shown for name, shown in shown_for.items()}
    wanted = fold_case(text.strip())[:SPELLING_MAX]
    if wanted in known:
        return f"; did you mean {known[wanted]}?"
    holding = [name for name in known if wanted and (wanted in name or name in wanted)]
    near = get_close_matches(wanted, known, n=SUGGESTIONS_MAX, cutoff=NEAR)
    shown = list(dict.fromkeys(known[name] for name in (*holding, *near)))[:SUGGESTIONS_MAX]
    return f"; did you mean {' or '.join(shown)}?" if shown else ""


def _unknown(name: str, known: Collection[str]) -> Refused:
    allowed = f"; it takes {', '.join(known)}." if known else ": this tool takes none."
    hint = did_you_mean(name.removesuffix("[]"), known)
    return Refused(ParameterUnknown.code, f"There is no argument {shortened(name)}{hint or allowed}")


def _value(name: str, value: Any, described: Mapping[str, Any]) -> Any:
    """Take a value of the right type; text for an array of one, and a whole number for its digits."""
    if value is None:
        return None
    kind = described["type"]
    if kind == "array" and not isinstance(value, list):
        value = [value]
    if kind == "array" and isinstance(value, list):
        if None in value:
            raise invalid(name, "takes no null in its array")
        return [_value(name, each, described["items"]) for each in value]
    if kind == "string" and isinstance(value, int) and not isinstance(value, bool):
        if abs(value) >= 10**DIGITS_MAX:
            raise invalid(name, "takes text in quotation marks")
        value = str(value)
    form, takes = _FORMS[kind]
    if "properties" in described:
        takes += f" with {', '.join(described['properties'])}"
    if not isinstance(value, form) or (kind == "integer" and isinstance(value, bool)):
        raise invalid(name, f"takes {takes}")
    words = described.get("enum", (value,))
    if value not in words:
        raise invalid(name, f"takes one of {', '.join(words)}{did_you_mean(str(value), words)}")
    return value
