"""From the headings and values of a foreign file to what its columns probably are."""

from collections.abc import Callable, Iterable

import msgspec

from tradebook.transfer.columns import ADDRESSES, COLUMNS
from tradebook.transfer.maps.aliases import ADDRESS_FIELDS, column_of_heading, heading_words
from tradebook.transfer.maps.evidence import Evidence
from tradebook.transfer.maps.toml_text import Right

_COMPANY = ("company", "firm", "business", "organi", "unternehmen", "raison", "societe", "entreprise")
_COMPANY_TOO = ("empresa", "razon", "bedrijf", "azienda", "ragione", "societa", "account")
_SEPARATORS = (";", ",", "|")
_SHORT_NUMBERS = ("nr", "no", "number", "nummer", "numero")
ADDRESS_COLUMNS = {
    part: tuple(f"{part}.{field}" for field in ADDRESS_FIELDS if field != "country") for part in ADDRESSES
}
"""What makes an address, by its part."""


class Guess(msgspec.Struct):
    """What a column of ours probably comes from; the first right side that reads every row is taken."""

    column: str
    rights: list[Right]
    headings: list[str]
    why: str = ""
    """What is told behind the line."""


class Found(msgspec.Struct):
    """All that was guessed, and which headings say nothing."""

    guesses: list[Guess] = []
    unknown: list[str] = []
    twins: dict[str, str] = {}
    """Headings that mean what another one means already, by what that is."""


def guess(evidence: dict[str, Evidence]) -> Found:
    """Guess what the columns are, by their headings, or else by their values."""
    found = Found()
    claims: dict[str, list[str]] = {}
    repeated = {heading.partition("\0")[0] for heading in evidence if "\0" in heading}
    for heading in evidence:
        # Of headings that stand twice, and of none at all, nobody can say which one is meant.
        if not heading or heading.partition("\0")[0] in repeated:
            continue
        column = heading if heading in COLUMNS else column_of_heading(heading)
        if column is None:
            found.unknown.append(heading)
        else:
            claims.setdefault(column, []).append(heading)
    for heading in list(found.unknown):
        column = evidence[heading].column
        if column is not None and column not in claims:
            claims[column] = [heading]
            found.unknown.remove(heading)
    _house_numbers(claims, list(evidence))
    _names(claims, found, evidence)
    _notes(claims, found)
    _streets(claims, found, evidence)
    _people(claims, evidence)
    for column, headings in claims.items():
        best = max(headings, key=lambda heading: _worth(column, evidence[heading]))
        found.guesses.append(_guess(column, best, evidence[best]))
        found.twins |= {heading: column for heading in headings if heading != best}
    order = list(COLUMNS)
    found.guesses.sort(key=lambda guess: order.index(guess.column))
    return found


def _worth(column: str, evidence: Evidence) -> tuple[bool, int]:
    """Order headings that mean the same: a number tells customers apart, and what is filled tells more."""
    tells_apart = column != "number" or len(evidence.distinct) == len(evidence.values)
    return tells_apart, len(evidence.values)


def _braced(heading: str) -> str | None:
    """Write a heading for a template; None if a template can't name it."""
    return None if "{" in heading or "}" in heading else f"{{{heading}}}"


def _person(claims: dict[str, list[str]]) -> list[str]:
    return [heading for part in ("-first_name", "-last_name") for heading in claims.get(part, [])[:1]]


def _names(claims: dict[str, list[str]], found: Found, evidence: dict[str, Evidence]) -> None:
    """Make the name: the company, else any other name, else the person, else an e-mail or a phone."""
    person = _person(claims)
    surnames = [heading for heading in claims.get("name", []) if not _is_company(heading)]
    if "-first_name" in claims and "-last_name" not in claims and surnames:
        # "Nom" and "Prénom", "Nome" and "Cognome": beside a first name, a name is the last name.
        claims["name"].remove(surnames[0])
        person.append(surnames[0])
    for part in ("-first_name", "-last_name"):
        found.twins |= {heading: "name" for heading in claims.pop(part, []) if heading not in person}
    if not claims.get("name") and not person:
        # A list of addresses has its customers' names there alone.
        claims["name"] = claims.get("bill_to.name", [])[:1]
    names = sorted(claims.pop("name", []), key=lambda heading: not _is_company(heading))
    full = " ".join(filter(None, map(_braced, person)))
    sources: list[str] = [*names, full] if full else names
    known = [*names, *person]
    for column in ("email", "phone"):
        if sources and column in claims and not _covers(known, evidence):
            sources.append(claims[column][0])
            known.append(claims[column][0])
    if sources:
        one: Right = sources[0] if len(sources) == 1 else {"from": sources}
        found.guesses.append(Guess("name", [one], [*names, *person]))
    if names and full and "bill_to.name" not in claims:
        if claims.keys() & set(ADDRESS_COLUMNS["bill_to"]):
            found.guesses.append(Guess("bill_to.name", [full], person))
        else:
            claims["-contact"] = person


def _covers(headings: Iterable[str], evidence: dict[str, Evidence]) -> bool:
    """Tell whether one of the columns is filled in every row."""
    return all(any(cells) for cells in zip(*(evidence[heading].rows for heading in headings), strict=True))


def _is_company(heading: str) -> bool:
    words = heading_words(heading)
    return any(part in words for part in (*_COMPANY, *_COMPANY_TOO))


def _notes(claims: dict[str, list[str]], found: Found) -> None:
    """Keep in the note what has no column: a second phone, a fax, a tax number."""
    if "phone" not in claims and "-mobile" in claims:
        claims["phone"] = [claims["-mobile"].pop(0)]
    pieces, taken = [], claims.pop("-contact", [])
    if taken:
        pieces = [f"[Contact {' '.join(filter(None, map(_braced, taken)))}]"]
    for part in ("-mobile", "-fax", "-tax"):
        for heading in claims.pop(part, []):
            if (name := _braced(heading)) and not set("[]") & set(heading):
                pieces.append(f"[{heading} {name}]")
                taken.append(heading)
            else:
                found.unknown.append(heading)
    if not pieces:
        return
    if "note" in claims:
        own = _braced(claims["note"][0])
        if own is None or set("[]") & set(claims["note"][0]):
            found.unknown += taken
            return
        pieces.insert(0, f"[{own}]")
        taken += claims.pop("note")[:1]
    lines = "".join(f"{piece[:-1]}\n]" for piece in pieces[:-1])
    found.guesses.append(Guess("note", [lines + pieces[-1]], taken))


def _house_numbers(claims: dict[str, list[str]], headings: list[str]) -> None:
    """Take a plain "Nr" for the number of the house where it follows a street."""
    for part in ADDRESSES:
        for street in claims.get(f"{part}.street_line_1", []):
            following = headings[headings.index(street) + 1 :][:1]
            for heading in following:
                if heading in claims.get("number", []) and heading_words(heading) in _SHORT_NUMBERS:
                    claims["number"].remove(heading)
                    claims[f"-{part}.house_number"] = [heading]
    if not claims.get("number"):
        claims.pop("number", None)


def _streets(claims: dict[str, list[str]], found: Found, evidence: dict[str, Evidence]) -> None:
    """Put the number of a house behind its street; the further lines of a street are a line of ours."""
    for part in ADDRESSES:
        street, second = f"{part}.street_line_1", f"{part}.street_line_2"
        numbers = claims.pop(f"-{part}.house_number", [])
        if street not in claims:
            found.unknown += numbers
            continue
        heading = claims[street][0]
        if numbers and _braced(heading) and _braced(numbers[0]):
            del claims[street]
            sources = [heading, numbers[0]]
            found.guesses.append(Guess(street, [f"{{{heading}}} {{{numbers[0]}}}"], sources))
        elif second not in claims and evidence[heading].has_lines:
            rest: Right = {"from": heading, "line": "2-"}
            found.guesses.append(Guess(second, [rest], [heading]))


def _people(claims: dict[str, list[str]], evidence: dict[str, Evidence]) -> None:
    """Tell whether a sales rep is given by e-mail."""
    headings = claims.get("sales_rep_name", [])
    for heading in headings[:1]:
        if evidence[heading].column == "email":
            claims["sales_rep_email"] = [heading]
            headings.remove(heading)
    if not headings:
        claims.pop("sales_rep_name", None)


def _guess(column: str, heading: str, evidence: Evidence) -> Guess:
    name = column.rsplit(".", 1)[-1]
    make = _RIGHTS.get(name)
    rights: list[Right] = [heading] if make is None else make(heading, evidence)
    return Guess(column, rights, [heading])


def _email(heading: str, _evidence: Evidence) -> list[Right]:
    first: Right = {"from": heading, "split": [";", ","], "take": "first"}
    link: Right = {"from": heading, "split": ":", "take": "last"}
    return [heading, first, link]


def _street(heading: str, evidence: Evidence) -> list[Right]:
    one: Right = {"from": heading, "line": 1}
    return [one] if evidence.has_lines else [heading]


def _joined(heading: str, evidence: Evidence) -> list[Right]:
    whole: Right = {"from": heading, "line": "1-"}
    return [whole] if evidence.has_lines else [heading]


def _amount(heading: str, _evidence: Evidence) -> list[Right]:
    return [heading, *({"from": heading, "decimal": sign} for sign in (",", "."))]


def _groups(heading: str, evidence: Evidence) -> list[Right]:
    for sign in _SEPARATORS:
        if any(sign in value for value in evidence.distinct):
            split: Right = {"from": heading, "split": sign}
            return [split] if sign != ";" else [heading]
    return [heading]


_RIGHTS: dict[str, Callable[[str, Evidence], list[Right]]] = {
    "email": _email,
    "sales_rep_email": _email,
    "street_line_1": _street,
    "street_line_2": _joined,
    "credit_limit": _amount,
    "price_groups": _groups,
}
