"""What customers refer to, by name: groups, carriers and their levels, terms, sales reps, statuses."""

from collections.abc import Callable, Iterable, Iterator

import msgspec

from tradebook.crud.parameters import Pairs
from tradebook.errors import ResourceNotFound, ValidationFailed
from tradebook.ids import read_id
from tradebook.mcp.arguments import did_you_mean
from tradebook.mcp.asking import Book, Json, Refused
from tradebook.resources import (
    account_groups,
    account_statuses,
    account_users,
    carriers,
    payment_terms,
    service_levels,
    shipping_terms,
)
from tradebook.text import fold_case, shortened

FITTING_MAX = 5
"""How many of several that fit are shown."""

LEVELS = "service_levels"


class Choice(msgspec.Struct, frozen=True):
    """A thing that customers refer to."""

    id: str
    names: tuple[str, ...]
    """What it may be called; the first is shown."""
    within: str = ""
    """What tells it from others of the same name: the carrier of a level."""

    @property
    def shown(self) -> str:
        """The name, with what it is within."""
        return f"{self.within}: {self.names[0]}" if self.within else self.names[0]


class Kind(msgspec.Struct, frozen=True):
    """One kind of choices: where they are listed, and what they may be called."""

    noun: str
    path: str
    id_prefix: str
    pairs: Pairs = ()
    names: Callable[[Json], Iterable[str | None]] = lambda found: (found["name"],)
    names_shown: int = 1

    def listed(self, book: Book) -> Iterator[Choice]:
        """List them, newest first."""
        for found in book.entries(self.path, self.pairs):
            yield self.choice(found)

    def choice(self, found: Json, within: str = "") -> Choice:
        """Make a choice of an object of the API."""
        return Choice(found["id"], tuple(name for name in self.names(found) if name), within)


class _Levels(Kind, frozen=True):
    """Service levels, which are listed by carrier."""

    def listed(self, book: Book) -> Iterator[Choice]:
        for carrier in book.entries(self.path, (("include[]", LEVELS),)):
            levels = carrier[LEVELS]
            found = levels["data"]
            if levels["page_info"]["has_next_page"]:
                found = book.entries(f"{self.path}/{carrier['id']}/service-levels")
            for level in found:
                yield self.choice(level, carrier["name"])


KINDS: dict[str, Kind] = {
    "type_groups": Kind(
        "type group", account_groups.PATH, account_groups.ID_PREFIX, (("type", "type_group"),)
    ),
    "pricing_groups": Kind(
        "pricing group", account_groups.PATH, account_groups.ID_PREFIX, (("type", "pricing_group"),)
    ),
    "carriers": Kind(
        "carrier",
        carriers.PATH,
        carriers.ID_PREFIX,
        names=lambda found: (found["name"], found["code"]),
    ),
    LEVELS: _Levels(
        "service level",
        carriers.PATH,
        service_levels.ID_PREFIX,
        names=lambda found: (found["name"], found["service_level_token"]),
    ),
    "payment_terms": Kind("payment term", payment_terms.PATH, payment_terms.ID_PREFIX),
    "shipping_terms": Kind("shipping term", shipping_terms.PATH, shipping_terms.ID_PREFIX),
    "sales_reps": Kind(
        "sales rep",
        account_users.PATH,
        account_users.ID_PREFIX,
        names=lambda found: [found["user"][name] for name in ("name", "email", "username")],
        names_shown=2,
    ),
    "statuses": Kind(
        "status",
        account_statuses.PATH,
        account_statuses.ID_PREFIX,
        names=lambda found: (found["code"],),
    ),
}
"""By the name that list_choices has for them."""

NAMED = {
    "customer_group_ids": "type_groups",
    "customer_type_group_id": "type_groups",
    "pricing_group_ids": "pricing_groups",
    "customer_price_group_ids": "pricing_groups",
    "carrier_ids": "carriers",
    "default_carrier_id": "carriers",
    "service_level_ids": LEVELS,
    "default_service_level_id": LEVELS,
    "payment_term_ids": "payment_terms",
    "default_payment_term_id": "payment_terms",
    "shipping_term_ids": "shipping_terms",
    "default_shipping_term_id": "shipping_terms",
    "sales_rep_ids": "sales_reps",
    "default_sales_rep_id": "sales_reps",
}
"""The arguments that take such a choice, by id or by name."""


def id_of(book: Book, argument: str, text: str, *, carrier: str | None = None) -> str:
    """Return the id of a choice that is given by id or by name.

    Case counts only between names that differ in nothing else. Refused where no choice has the name, or
    several have it; of levels, those of one `carrier` count.
    """
    kind = KINDS[NAMED[argument]]
    if read_id(kind.id_prefix, text) is not None:
        return text
    listed = list(kind.listed(book))
    of_carrier = None
    if carrier is not None and NAMED[argument] == LEVELS:
        of_carrier = name_of(book, carrier)
        listed = [each for each in listed if each.within == of_carrier]
    wanted = fold_case(text.strip())
    found = [each for each in listed if wanted in map(fold_case, (*each.names, each.shown))]
    exact = [each for each in found if text.strip() in (*each.names, each.shown)]
    found = exact or found
    if len(found) == 1:
        return found[0].id
    if found:
        fitting = "; ".join(
            f"{each.shown} ({', '.join((*each.names[1:], each.id))})" for each in found[:FITTING_MAX]
        )
        raise Refused(
            ValidationFailed.code,
            f"{argument}: {len(found)} {kind.noun}s are called {shortened(text)}. Give one by id: {fitting}.",
        )
    names = {name: each.shown for each in listed for name in each.names}
    hint = did_you_mean(text, names) or ". list_choices shows all names."
    of_it = f" of {of_carrier}" if of_carrier else ""
    raise Refused(
        ResourceNotFound.code, f"{argument}: there is no {kind.noun}{of_it} called {shortened(text)}{hint}"
    )


def name_of(book: Book, text: object) -> str | None:
    """Return what the choice with an id is called; None if the text is none of a choice."""
    if not isinstance(text, str):
        return None
    kinds = [kind for kind in KINDS.values() if read_id(kind.id_prefix, text) is not None]
    return next((each.shown for kind in kinds for each in kind.listed(book) if each.id == text), None)
