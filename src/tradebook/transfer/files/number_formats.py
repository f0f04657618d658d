"""What a cell shows where it is no plain number: 00417, K-0417, (555) 123-4567, 15 %."""

import re
import unicodedata
from decimal import Decimal

_SECTION = re.compile(r'(?:"[^"]*"|\\.|\[[^\]]*\]|[^;"\\\[])+')
_PART = re.compile(r'"([^"]*)"|\\(.)|_.|\*.|\[([^\]]*)\]|(.)', re.DOTALL)
_CONDITION = re.compile(r"(<=|>=|<>|<|>|=)\s*(-?[\d.]+)")
_DIGITS = frozenset("0#?")
_OF_OTHER_KINDS = frozenset(".,/@EeDdMmYyHhSsGgBb")
_LENGTH_MAX = 255
_EXACT_MAX = 2**53
"""Up to here a number of a workbook has all its digits."""
_PHONE_MIN = 1_000_000
"""A plus before so much is that of a phone number; before less it is a sign."""
BUILT_IN = {9: "0%", 10: "0.00%"}


def plain_number(value: float) -> str:
    """Write a number as a spreadsheet means it, with the digits that it keeps: 417, 4901234567890, 0.1.

    One that is too long for it has lost digits, and is 1.23456789012346E+19: nobody shall take it for exact.
    """
    if value.is_integer():
        return str(int(value)) if abs(value) <= _EXACT_MAX else f"{value:.15g}".upper()
    return format(Decimal(f"{value:.15g}"), "f")


def shown_number(value: float, code: str) -> str | None:
    """Return what a cell of this format shows, where its signs are part of what it says.

    None where it is an amount, a date or a plain number: how these look is no part of them.
    """
    section, magnitude = _section_of(float(value), code)
    parts = _parts(section) if len(code) <= _LENGTH_MAX else None
    if parts is None:
        return None
    digits = [sign for sign, is_digit in parts if is_digit]
    if any(sign == "%" for sign, _ in parts):
        return _percent(value, digits)
    if not digits or not magnitude.is_integer() or magnitude >= 1e15:
        return None
    first = next(at for at, (_, is_digit) in enumerate(parts) if is_digit)
    last = max(at for at, (_, is_digit) in enumerate(parts) if is_digit)
    before = "".join(sign for sign, _ in parts[:first]).strip()
    inside = any(not is_digit and sign.strip() for sign, is_digit in parts[first:last])
    is_phone = before == "+" and magnitude >= _PHONE_MIN
    if digits.count("0") < 2 and not inside and not before.strip("-+( ") and not is_phone:
        return None
    return ("-" if section is _first_section(code) and value < 0 else "") + _filled(
        parts, str(int(magnitude))
    )


def is_interesting(code: str) -> bool:
    """Tell whether a format can show a number as more than that."""
    return (
        "%" in code
        or code.count("0") > 1
        or '"' in code
        or "\\" in code
        or "-" in code
        or "(" in code
        or "+" in code
    )


def _first_section(code: str) -> str:
    found = _SECTION.match(code)
    return found[0] if found else ""


def _section_of(value: float, code: str) -> tuple[str, float]:
    """Choose the part of the format for this number, and return how much of the number it shows."""
    sections = _SECTION.findall(code)
    for section in sections:
        condition = _CONDITION.search("".join(re.findall(r"\[([^\]]*)\]", section)))
        if condition and _holds(value, condition[1], float(condition[2])):
            return section, abs(value)
    if any(_CONDITION.search(part) for part in sections):
        return (sections[-1] if len(sections) > 1 else ""), abs(value)
    if value < 0 and len(sections) > 1:
        return sections[1], -value
    if value == 0 and len(sections) > 2:
        return sections[2], 0.0
    return _first_section(code), abs(value)


def _holds(value: float, sign: str, bound: float) -> bool:
    return {
        "<=": value <= bound,
        ">=": value >= bound,
        "<>": value != bound,
        "<": value < bound,
        ">": value > bound,
        "=": value == bound,
    }[sign]


def _parts(section: str) -> list[tuple[str, bool]] | None:
    """Take a format apart: its signs, and whether each stands for a digit; None for other kinds."""
    parts: list[tuple[str, bool]] = []
    for text, escaped, bracket, sign in _PART.findall(section):
        literal = text or escaped
        if bracket.startswith("$") or any(unicodedata.category(c) == "Sc" for c in literal or sign):
            return None
        if literal:
            parts += [(letter, False) for letter in literal]
        elif sign in _DIGITS and sign:
            parts.append((sign, True))
        elif sign == "." and section.replace('"', "").count("%"):
            continue
        elif sign in _OF_OTHER_KINDS and sign:
            return None
        elif sign:
            parts.append((sign, False))
    return parts


def _percent(value: float, digits: list[str]) -> str:
    return f"{plain_number(float(f'{value * 100:.12g}'))}%" if digits else ""


def _filled(parts: list[tuple[str, bool]], number: str) -> str:
    """Put the digits in their places, from the last to the first."""
    left = list("" if number == "0" else number)
    places = sum(is_digit for _, is_digit in parts)
    filled: list[str] = []
    for sign, is_digit in reversed(parts):
        if not is_digit:
            filled.append(sign)
            continue
        places -= 1
        if places == 0:
            filled.append("".join(left) or ("0" if sign == "0" else ""))
        elif left:
            filled.append(left.pop())
        else:
            filled.append("0" if sign == "0" else "")
    return "".join(reversed(filled)).strip()
