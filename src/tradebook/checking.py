"""Finds what is wrong with a book: its database, its rows, and what is derived from them. It only reads."""

from collections.abc import Callable, Iterator
from itertools import groupby
from typing import Any

import msgspec
import sqlalchemy as sa

from tradebook.crud.rules import Rule, broken, rule
from tradebook.ids import KEY_MAX, encode_id
from tradebook.money import parse_amount
from tradebook.resources import (
    INDEXES,
    account_groups,
    account_users,
    addresses,
    api_keys,
    carriers,
    customers,
    imports,
    payment_terms,
    service_levels,
    shipping_terms,
)
from tradebook.resources.accounts import ID_PREFIX
from tradebook.storage.accounts import accounts
from tradebook.storage.database import ROWS_AT_ONCE, Database, IndexFault, Inspector, Unavailable
from tradebook.storage.finished import FinishedRows
from tradebook.storage.index_versions import keys_to_index
from tradebook.storage.schema import ACCOUNT, apart, metadata, prepare
from tradebook.text import fold_case

_NAMES = {
    customers.customers: ("Customer", customers.ID_PREFIX),
    customers.merged_customers: ("Customer", customers.ID_PREFIX),
    account_groups.account_groups: ("Account group", account_groups.ID_PREFIX),
    account_users.account_users: ("Account user", account_users.ID_PREFIX),
    addresses.addresses: ("Address", addresses.ID_PREFIX),
    api_keys.api_keys: ("API key", api_keys.ID_PREFIX),
    carriers.carriers: ("Carrier", carriers.ID_PREFIX),
    imports.imports: ("Import", imports.ID_PREFIX),
    payment_terms.payment_terms: ("Payment term", payment_terms.ID_PREFIX),
    service_levels.service_levels: ("Service level", service_levels.ID_PREFIX),
    shipping_terms.shipping_terms: ("Shipping term", shipping_terms.ID_PREFIX),
}
_INDEX_SAYS = {
    "missing": "is not in the index: no search and no filter finds it",
    "stale": "is in the index with something else than its row says",
    "left over": "is in the index, and there is no such row",
}
_ACCOUNT = prepare(
    sa.select(accounts.c.revision, accounts.c.last_customer_number).where(accounts.c.account_id == ACCOUNT)
)


class Fault(msgspec.Struct, frozen=True):
    """Something that is wrong: of an account, or of the book as a whole."""

    account: str | None
    sentence: str

    def __str__(self) -> str:
        """Write it as a line for a person."""
        return f"{self.account}: {self.sentence}" if self.account else self.sentence


def faults_of_book(book: Database) -> Iterator[Fault]:
    """Look at the database as a whole: what its engine can tell."""
    yield from _as_far_as_it_can_be_read(None, book.faults)


def faults_of_account(book: Database, account: int) -> Iterator[Fault]:
    """Look at all rows of an account, in one snapshot and some rows at a time."""

    def sentences() -> Iterator[str]:
        with book.inspect(account) as inspector:
            yield from _sentences(inspector)

    yield from _as_far_as_it_can_be_read(encode_id(ID_PREFIX, account), sentences)


def _as_far_as_it_can_be_read(account: str | None, look: Callable[[], Iterator[str]]) -> Iterator[Fault]:
    try:
        for sentence in look():
            yield Fault(account, sentence)
    except Unavailable as error:
        yield Fault(account, f"The rest could not be read: {error}.")


def _sentences(inspector: Inspector) -> Iterator[str]:
    ((revision, last),) = inspector.rows(_ACCOUNT)
    are_strange = not (isinstance(revision, int) and isinstance(last, int))
    if not (isinstance(revision, int) and 0 <= revision < KEY_MAX):
        yield f"The account's revision is {revision!r}, which is no key."
    if not (isinstance(last, int) and last >= 0):
        yield f"The account's sequence of customer numbers is at {last!r}."
    for sentence in _strange_values(inspector):
        are_strange = True
        yield sentence
    if are_strange:
        yield "The rest was not looked at: it can't be compared with such values."
        return
    for walked, rules in groupby(_RULES, key=_table_walked):
        for key, says in broken(inspector, list(rules)):
            yield f"{_name(metadata.tables[walked], key)} {says}."
    for index in INDEXES:
        yield from map(_index_sentence, inspector.index_faults(index))
        if index.finished is not None:
            yield from _wrongly_finished(inspector, index.finished)


def _strange_values(inspector: Inspector) -> Iterator[str]:
    for table in metadata.sorted_tables:
        # What has no second key is about the whole account or book.
        walked = _walked(table)[0].table if len(table.primary_key) > 1 else None
        if walked in _NAMES:
            for key, column in inspector.strange_values(table):
                yield f"{_name(walked, key)} has a value of the wrong kind in {table}.{column}."


def _wrongly_finished(inspector: Inspector, finished: FinishedRows) -> Iterator[str]:
    after: int | None = -1
    while after is not None:
        keys = [key for (key,) in inspector.rows(keys_to_index(finished), after=after)]
        for key in finished.wrong(inspector, keys):
            yield f"{_name(finished.table, key)} is kept as JSON with something else than its row says."
        after = keys[-1] if len(keys) == ROWS_AT_ONCE else None


def _index_sentence(fault: IndexFault) -> str:
    table = fault.index.table
    if fault.key is None:
        return f"The index of {table} is missing."
    return f"{_name(table, fault.key)} {_INDEX_SAYS[fault.kind]}."


def _name(table: sa.Table, key: int) -> str:
    noun, prefix = _NAMES[table]
    return f"{noun} {encode_id(prefix, key)}"


def _table_walked(each: Rule) -> str:
    return str(each.walked.table)


def _walked(table: sa.Table) -> tuple[sa.Column[Any], sa.Column[Any]]:
    """Choose by which keys a table is walked: its own, or the keys of what its rows belong to."""
    key = table.primary_key.columns.values()[1]
    owner = key.info.get("references")
    return (metadata.tables[owner].c.id if owner else key), key


def _reference(column: sa.Column[Any]) -> Rule:
    walked, key = _walked(column.table)
    target = metadata.tables[column.info["references"]].alias("target")
    exists = sa.exists(target.c.id).where(target.c.account_id == ACCOUNT, target.c.id == column)
    (_, prefix), name = _NAMES[metadata.tables[column.info["references"]]], f"{column.table}.{column.name}"
    return rule(
        walked,
        lambda value: f"refers to {encode_id(prefix, value)}, which is not there ({name})",
        column.is_not(None),
        ~exists.correlate(column.table),
        key=key,
        told=(column,),
    )


def _small_number(column: sa.Column[Any]) -> Rule:
    """Make the rule for a flag, or for a word that is kept as its place in a list."""
    walked, key = _walked(column.table)
    count = len(column.info.get("words", ("no", "yes")))
    return rule(
        walked,
        lambda value: f"has {value} in {column.table}.{column.name}, which takes 0 to {count - 1}",
        sa.or_(column < 0, column >= count),
        key=key,
        told=(column,),
    )


def _amount(column: sa.Column[Any]) -> Rule:
    walked, key = _walked(column.table)

    def says(amount: str) -> str | None:
        try:
            parse_amount(amount)
        except ValueError:
            return f"has {amount!r} in {column.table}.{column.name}, which takes an amount"
        return None

    return rule(walked, says, column.is_not(None), key=key, told=(column,))


def _currency(column: sa.Column[Any], currency: sa.Column[Any]) -> Rule:
    walked, key = _walked(column.table)
    return rule(
        walked,
        lambda: f"has {column.name} or its currency, but not both",
        column.is_(None) != currency.is_(None),
        key=key,
    )


def _rules_of_columns() -> Iterator[Rule]:
    """Make the rules that follow from what the columns of a table are."""
    for table in metadata.sorted_tables:
        for column in table.c:
            currency = table.c.get(f"{column.name}_currency")
            if "case_folded" in column.info:
                yield _folding(column)
            if "made_of" in column.info:
                yield _making(column)
            if "references" in column.info:
                yield _reference(column)
            if isinstance(column.type, sa.SmallInteger):
                yield _small_number(column)
            if currency is not None:
                yield _amount(column)
                yield _currency(column, currency)


def _folding(column: sa.Column[Any]) -> Rule:
    """Make the rule for a column that keeps another one's text without its case."""
    of = column.table.c[column.info["case_folded"]]
    walked, key = _walked(column.table)

    def says(text: str | None, folded: str | None) -> str | None:
        own = None if text is None else fold_case(text)
        if folded == own or (own is not None and folded == apart(own, str(text))):
            return None
        return f"is known by another {of.name} than it has ({column.name})"

    return rule(walked, says, key=key, told=(of, column))


def _making(column: sa.Column[Any]) -> Rule:
    """Make the rule for a column that is made of another one's text."""
    name, make = column.info["made_of"]
    of = column.table.c[name]
    walked, key = _walked(column.table)

    def says(text: str | None, made: str | None) -> str | None:
        if made == (None if text is None else make(text)):
            return None
        return f"is known by another {name} than it has ({column.name})"

    return rule(walked, says, key=key, told=(of, column))


_k, _carrier = api_keys.api_keys.c, carriers.carriers.c
_l = service_levels.service_levels.c
_defaults = (
    sa.select(sa.func.count())
    .where(_l.account_id == ACCOUNT, _l.carrier_id == _carrier.id, _l.is_default == 1)
    .correlate(carriers.carriers)
    .scalar_subquery()
)
_environment = sa.select(accounts.c.environment).where(accounts.c.account_id == ACCOUNT).scalar_subquery()

_RULES = sorted(
    (
        *_rules_of_columns(),
        *customers.RULES,
        rule(
            _carrier.id,
            lambda count: f"has {count} default service levels",
            _defaults > 1,
            told=(_defaults,),
        ),
        rule(_k.id, lambda: "is of another environment than its account", _k.environment != _environment),
    ),
    key=_table_walked,
)
