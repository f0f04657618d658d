"""The customer list as plain lists, from the contract's words alone: nothing here comes from the product."""

import unicodedata
from datetime import datetime

_STROKES = {
    "ø": "o",
    "đ": "d",
    "ð": "d",
    "ħ": "h",
    "ı": "i",
    "ł": "l",
    "ŧ": "t",
    "æ": "ae",
    "œ": "oe",
    "þ": "th",
}
_APOSTROPHES = str.maketrans(dict.fromkeys("\u2018\u2019\u201b\u2032\u02b9\u02bb\u02bc\u00b4`\uff40", "'"))
_PHONE_LETTERS = set("0123456789+-./()")


def folded(text: str) -> str:
    """Case, accents, width and the sign for an apostrophe don't matter; a stroke counts as an accent."""
    typed = text.translate(_APOSTROPHES)
    flat = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", typed.casefold()).casefold())
    bare = [_STROKES.get(c, c) for c in flat if not unicodedata.combining(c)]
    return unicodedata.normalize("NFC", "".join(bare))


def digits(text: str) -> str:
    """A phone number without its punctuation."""
    return "".join(c for c in folded(text) if c in "0123456789")


def addresses_of(record: dict) -> list[dict]:
    """The bill-to and ship-to address of a record, without their prefixes."""
    found = []
    for kind in ("bill_to", "ship_to"):
        address = {k.partition(".")[2]: v for k, v in record.items() if k.startswith(f"{kind}.") and v}
        if address:
            found.append({"name": record["name"], **address})
    return found


def matches_words(record: dict, q: str) -> bool:
    """Every word occurs somewhere in one of the named fields, a phone-like one in the phone's digits too.

    A postal code has its words without blanks too.
    """
    texts = [record.get(name) for name in ("name", "number", "email", "phone", "url")]
    for address in addresses_of(record):
        texts += [address.get(name) for name in ("name", "locality", "state", "postal_code")]
    fields = [" ".join(folded(text).split()) for text in texts if text]
    codes = [address.get("postal_code") or "" for address in addresses_of(record)]
    fields += ["".join(folded(code).split()) for code in codes]
    phone = digits(record.get("phone") or "")

    def occurs(word: str) -> bool:
        looks_like_phone = set(word) <= _PHONE_LETTERS and digits(word)
        return any(word in field for field in fields) or bool(looks_like_phone and digits(word) in phone)

    return all(occurs(word) for word in folded(q).split())


def matches(record: dict, book: list[dict], asked: dict) -> bool:
    """All parameters hold; of the values of one, any."""
    parents = {other.get("parent_number") for other in book}
    one_of = {
        "status_codes": record.get("status") or "normal",
        "commission_status_codes": record.get("commission_policy") or "commission_exempt",
        "freight_status_codes": record.get("freight_policy") or "billed_freight",
        "types": record.get("type"),
        "payment_terms": record.get("payment_term"),
        "carriers": record.get("carrier"),
        "reps": record.get("sales_rep_email"),
    }
    for name, own in one_of.items():
        if name in asked and own not in asked[name]:
            return False
    if "groups" in asked and not set(asked["groups"]) & set(record.get("price_groups") or ()):
        return False
    if "parent_account_status" in asked:
        if (record["number"] in parents) != (asked["parent_account_status"] == "parent"):
            return False
    place = {"city": "locality", "state": "state", "postal_code": "postal_code"}
    wanted = {place[name]: asked[name] for name in place if name in asked}
    if wanted and not any(
        all(address.get(k) == v for k, v in wanted.items()) for address in addresses_of(record)
    ):
        return False
    created = datetime.fromisoformat(record["created_at"])
    if "start_date" in asked and created < datetime.fromisoformat(asked["start_date"]):
        return False
    if "end_date" in asked and created > datetime.fromisoformat(asked["end_date"]):
        return False
    return matches_words(record, asked.get("q", ""))


def expected(book: list[dict], asked: dict) -> list[str]:
    """The numbers of all that match, newest first; what shares its time stands in reverse order of import."""
    order = sorted(
        enumerate(book),
        key=lambda pair: (datetime.fromisoformat(pair[1]["created_at"]), pair[0]),
        reverse=True,
    )
    return [record["number"] for _, record in order if matches(record, book, asked)]
