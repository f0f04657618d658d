"""An index knows what it was made from: what is out of date is made anew or refused, never silently wrong."""

import unicodedata
from hashlib import blake2b

import pytest
import sqlalchemy as sa
from msgspec import structs

from tests.fixtures.ledgers import Ledger
from tests.storage.old_books import OLD_SCHEMAS, run_sql, take_back
from tradebook import migrations
from tradebook.demo.book import demo_customers
from tradebook.ids import KEY_MAX
from tradebook.migrations import indexing
from tradebook.resources import INDEXES, customers
from tradebook.resources.addresses import INDEX as ADDRESSES
from tradebook.resources.customers import index as customers_index
from tradebook.resources.customers import shape, tables
from tradebook.storage import index_versions, readiness
from tradebook.storage.database import Database, Unavailable
from tradebook.storage.index import Condition, Facet, ListIndex, Query, Source
from tradebook.storage.index_documents import Document, documents
from tradebook.storage.location import locate
from tradebook.storage.postgres import index as postgres_index
from tradebook.storage.postgres.facts import facts_of
from tradebook.storage.postgres.searched_text import searchable
from tradebook.storage.schema import ACCOUNT, any_of, prepare
from tradebook.storage.sqlite import index as sqlite_index
from tradebook.text import FOLDING, fold, fold_phone
from tradebook.transfer.copying import copy_book

_c = tables.customers.c
EDI_STATUS = Facet("n", (_c.edi_status,))
DISABLED = shape.EDI_STATUSES.index("disabled")
RECORDS = (
    {"number": "1", "name": "Old", "edi_status": "disabled", "note": "left-handed"},
    {"number": "2", "name": "Old too", "edi_status": "enabled", "note": "right-handed"},
    {"number": "3", "name": "Old as well", "edi_status": "disabled"},
)


def with_source(**changes) -> ListIndex:
    """The index of customers, its first source changed."""
    first, *others = customers.INDEX.sources
    return structs.replace(customers.INDEX, sources=(structs.replace(first, **changes), *others))


def declared(*, facet: bool = False, text: bool = False) -> ListIndex:
    """The index of customers with one more filter or one more searched text, declared as the others are."""
    first = customers.INDEX.sources[0]
    columns = (*first.columns, *[_c.edi_status] * facet, *[_c.note] * text)
    return with_source(
        statement=prepare(sa.select(_c.id, *columns).where(_c.account_id == ACCOUNT, any_of(_c.id, "ids"))),
        columns=columns,
        texts=(*first.texts, *[_c.note] * text),
        facets=(*first.facets, *[EDI_STATUS] * facet),
    )


class Programs:
    """Programs that work on one book, each with its own declaration."""

    def __init__(self, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
        self.url, self._monkeypatch = url, monkeypatch
        self._databases: list[Database] = []

    def open(self, *changed: ListIndex) -> Database:
        """Open the book with our declaration, or with some indexes changed."""
        database = locate(self.url).open(timeout_ms=20_000, indexes=_with(changed))
        self._databases.append(database)
        return database

    def migrate(self, *changed: ListIndex) -> None:
        """Run the `migrate` of such a program."""
        # SQLite must not be open twice in a process, and Alembic comes with Python's own.
        self.close()
        for module in (migrations, indexing):
            self._monkeypatch.setattr(module, "INDEXES", _with(changed))
        migrations.upgrade(self.url)

    def close(self) -> None:
        """Let go of the book; who goes on opens it again."""
        for database in self._databases:
            database.close()


def _with(changed: tuple[ListIndex, ...]) -> tuple[ListIndex, ...]:
    return tuple({index.name: index for index in (*INDEXES, *changed)}.values())


@pytest.fixture
def programs(engine, tmp_path, monkeypatch):
    """A book on each engine."""
    made = Programs(engine.new(tmp_path), monkeypatch)
    yield made
    made.close()


@pytest.fixture
def on_postgresql(postgres, monkeypatch):
    """A book on PostgreSQL."""
    made = Programs(postgres.new(None), monkeypatch)
    yield made
    made.close()


def found(database, account: int, index: ListIndex, *conditions: Condition, words: str = "") -> list[int]:
    """The keys that a list finds."""
    query = Query(conditions, tuple(words.split()))
    with database.read(account) as reader:
        return reader.keys(index, query, above=0, below=KEY_MAX, descending=False, limit=100_000)


def keys_of(url: str, where: str) -> list[int]:
    """The keys of customers, read from the table."""
    return [key for (key,) in run_sql(url, f"SELECT id FROM customers WHERE {where} ORDER BY id")]


def filled(database, *records) -> Ledger:
    """An account with customers."""
    ledger = Ledger(database)
    ledger.take(*(records or RECORDS))
    return ledger


def write(database: Database, account: int, index: ListIndex, *records) -> None:
    """Import records, as the program of that declaration would."""
    ledger = Ledger.__new__(Ledger)
    ledger.database, ledger.key = database, account
    ledger.take(*records)
    statement = prepare(sa.select(_c.id).where(_c.account_id == ACCOUNT, any_of(_c.number, "numbers")))
    with database.write(account) as writer:
        keys = writer.rows(statement, numbers=[record["number"] for record in records])
        writer.reindex(index, [key for (key,) in keys])


@pytest.mark.parametrize("schema", [*OLD_SCHEMAS, migrations.HEAD])
def test_what_is_added_to_the_declaration_finds_old_customers_after_migrate(programs, schema):
    """A filter and a searched text; a customer that is written later is no different."""
    account = filled(programs.open()).key
    if schema != migrations.HEAD:
        programs.close()
        take_back(programs.url, schema)
    index = declared(facet=True, text=True)
    programs.migrate(index)

    database = programs.open(index)
    assert database.accounts_to_index() == []
    later = {"number": "4", "name": "Later", "edi_status": "disabled", "note": "handed over"}
    write(database, account, index, later)
    disabled = keys_of(programs.url, f"edi_status = {DISABLED}")
    assert len(disabled) == 3
    assert found(database, account, index, Condition(EDI_STATUS, ((DISABLED,),))) == disabled
    assert found(database, account, index, words="handed") == keys_of(programs.url, "note LIKE '%handed%'")
    assert found(
        database, account, index, Condition(customers_index.STATUS, ((0,),)), words="old too"
    ) == keys_of(programs.url, "number = '2'")
    assert readiness.why_not(database) is None


def test_without_a_version_old_customers_are_not_found(programs, monkeypatch):
    """The planted fault: the declaration is no part of the version."""
    for room in (sqlite_index, postgres_index):
        monkeypatch.setattr(room, "digest_of", lambda *_, **__: "always the same")
    before, after = declared(), declared(facet=True, text=True)
    account = filled(programs.open(before)).key
    programs.migrate(after)

    database = programs.open(after)
    assert found(database, account, after, words="handed") == []
    if locate(programs.url).is_embedded:
        assert found(database, account, after, Condition(EDI_STATUS, ((DISABLED,),))) == []


def test_on_postgresql_a_new_filter_has_an_index_of_its_own_too(on_postgresql):
    programs = on_postgresql
    filled(programs.open())
    index = declared(facet=True)
    programs.migrate(index)

    (definition,) = run_sql(
        programs.url, "SELECT indexdef FROM pg_indexes WHERE indexname = 'customers_by_edi_status'"
    )[0]
    assert definition.endswith("(account_id, edi_status, id)")


def test_until_migrate_nothing_is_asked_of_the_index_and_nothing_is_written(programs):
    """By who declares otherwise; what doesn't ask the index goes on."""
    ledger = filled(programs.open())
    index = declared(text=True)
    database = programs.open(index)

    with pytest.raises(Unavailable, match="tradebook migrate"):
        found(database, ledger.key, index, words="old")
    with pytest.raises(Unavailable), database.write(ledger.key):
        pass
    assert len(found(database, ledger.key, index)) == 3
    assert database.accounts_to_index() == [ledger.key]
    assert "has 1 account whose index is of another version" in readiness.why_not(database)


def test_an_older_program_on_a_book_that_was_migrated_since_neither_reads_nor_writes_it(programs):
    """It would not find what the newer one writes, nor write what that finds; its own `migrate` takes it back."""
    older = programs.open()
    ledger = filled(older)
    programs.migrate(declared(text=True))

    with pytest.raises(Unavailable):
        ledger.found("old")
    with pytest.raises(Unavailable):
        ledger.take({"number": "4", "name": "Late"})

    programs.migrate(customers.INDEX)
    assert ledger.found("old") == {"1", "2", "3"}


def test_an_account_of_an_older_program_is_noticed(programs):
    """One that knew of no versions made it after `migrate` had ended."""
    database = programs.open()
    filled(database)
    run_sql(
        programs.url,
        "INSERT INTO accounts (account_id, name, environment, revision, last_customer_number)"
        " VALUES (5, 'Old', 'test', 1, 0)",
    )

    assert database.accounts_to_index() == [5]
    programs.migrate()
    assert database.accounts_to_index() == []
    assert found(database, 5, customers.INDEX, words="any") == []


def test_while_an_index_is_made_anew_it_takes_in_what_is_written(programs, monkeypatch):
    """Before the place that has been reached, and behind it; readers wait for the end."""
    monkeypatch.setattr(index_versions, "ROWS_AT_ONCE", 2)
    with_times = [
        {"number": str(n), "name": f"Old {n}", "created_at": f"2024-01-0{n}T00:00:00Z"} for n in range(2, 8)
    ]
    account = filled(programs.open(), *with_times).key
    index = declared(text=True)
    database = programs.open(index)

    assert database.remake_indexes(account) == 2
    with pytest.raises(Unavailable):
        found(database, account, index, words="old")
    write(
        database,
        account,
        index,
        {"number": "1", "name": "New", "note": "old", "created_at": "2024-01-01T00:00:00Z"},
        {"number": "9", "name": "New", "note": "old"},
        {"number": "2", "note": "changed"},
        {"number": "7", "note": "changed too"},
    )
    while database.remake_indexes(account):
        pass

    assert len(found(database, account, index, words="old")) == 8
    assert len(found(database, account, index, words="changed")) == 2
    assert database.accounts_to_index() == []


def test_what_stays_of_a_row_that_is_gone_is_not_found(programs):
    database = programs.open()
    account = filled(database).key
    run_sql(
        programs.url,
        "INSERT INTO address_search (account_id, address_id, folded) VALUES (?, 5, 'ghost')",
        (account,),
    )
    run_sql(programs.url, "UPDATE accounts SET indexes = '{}'")

    programs.migrate()

    assert run_sql(programs.url, "SELECT folded FROM address_search WHERE address_id = 5") == []
    assert found(database, account, ADDRESSES, words="ghost") == []


def test_a_copied_book_and_a_new_account_are_of_this_version(programs, on_postgresql):
    source, target = programs.open(), on_postgresql.open()
    filled(source, *demo_customers(5))

    copy_book(source, target)

    assert source.accounts_to_index() == target.accounts_to_index() == []


ROOMS = (sqlite_index, postgres_index)


@pytest.mark.parametrize(
    "other",
    [
        with_source(texts=customers.INDEX.sources[0].texts[1:]),
        with_source(phones=(_c.email,)),
        with_source(
            statement=prepare(
                sa.select(_c.id, *customers.INDEX.sources[0].columns).where(
                    _c.account_id == ACCOUNT, any_of(_c.id, "ids"), _c.status == 0
                )
            )
        ),
        declared(text=True),
    ],
    ids=["a text less", "another phone", "other rows", "a text more"],
)
def test_what_is_searched_is_part_of_the_version(other):
    assert all(room.version_of(other) != room.version_of(customers.INDEX) for room in ROOMS)


@pytest.mark.parametrize(
    "facets",
    [
        customers.INDEX.sources[0].facets[1:],
        (*customers.INDEX.sources[0].facets[1:], Facet("t", (_c.edi_status,))),
        (*customers.INDEX.sources[0].facets[1:], Facet("q", (_c.type_id,))),
    ],
    ids=["a filter less", "another column", "another letter"],
)
def test_filters_are_part_of_the_version(facets):
    other = with_source(facets=facets)

    assert all(room.version_of(other) != room.version_of(customers.INDEX) for room in ROOMS)


def test_order_and_what_is_read_besides_are_no_part_of_it():
    first = customers.INDEX.sources[0]
    columns = (_c.note, *reversed(first.columns))
    other = with_source(
        statement=prepare(sa.select(_c.id, *columns).where(_c.account_id == ACCOUNT, any_of(_c.id, "ids"))),
        columns=columns,
        texts=first.texts[::-1],
        facets=first.facets[::-1],
    )

    assert all(room.version_of(other) == room.version_of(customers.INDEX) for room in ROOMS)


@pytest.mark.parametrize("rule", ["FOLDING", "FORM", "unidata_version"])
def test_the_rules_are_part_of_the_version(monkeypatch, rule):
    """Those of folding, those of writing a document, and the Unicode that Python has."""
    before = [room.version_of(customers.INDEX) for room in ROOMS]
    if rule == "FORM":
        for room in ROOMS:
            monkeypatch.setattr(room, "FORM", room.FORM + 1)
    elif rule == "FOLDING":
        monkeypatch.setattr(index_versions, "FOLDING", FOLDING + 1)
    else:
        monkeypatch.setattr(unicodedata, "unidata_version", "99.0.0")

    after = [room.version_of.__wrapped__(customers.INDEX) for room in ROOMS]

    assert not set(before) & set(after)


def digest(pieces) -> str:
    """Sum up some texts."""
    return blake2b("\0".join(pieces).encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()


# Characters that Unicode had in 2002: what they fold to changes no more.
OLD_CHARACTERS = [
    chr(n) for n in range(0x110000) if unicodedata.ucd_3_2_0.category(chr(n)) not in {"Cn", "Cs"}
]
SAMPLES = (
    *("Müller & Söhne GmbH", "Ærø Straße 5", "ﬁne ½ Ⅷ", "東京 株式会社", "İzmir ıĞ", "a-b‐c—d", "Ω Ω\u0301"),
    *(
        "+49 (30) 901-820",
        "702.555.0100 ext 7",
        "\u0661\u0662",
        " two  spaces ",
        "x",
        "",
        "\U0001d504",
        "q_%\\'",
    ),
)


def document() -> Document:
    """A row of the index with every sample, and facets of each kind."""
    text, other, phone, number, nothing = columns = [sa.Column(name) for name in "abcde"]
    source = Source(
        None,
        tuple(columns),
        texts=(text,),
        phones=(phone,),
        facets=(Facet("k", (number,)), Facet("w", (text, nothing, other))),
    )
    rows = [(1, sample, sample, sample, place, None) for place, sample in enumerate(SAMPLES)]
    index = structs.replace(customers.INDEX, sources=(source,))
    return documents(index, lambda statement, ids: rows, [1])[1]


def test_the_rules_have_the_numbers_they_had():
    """Where one of these digests is another, raise FOLDING or FORM, and write the new pair down here."""
    folded = digest(
        [fold(letter) + "\n" + fold_phone(letter) for letter in OLD_CHARACTERS] + [*map(fold, SAMPLES)]
    )
    tokens = digest(sorted(sqlite_index.tokens(document()).split(" ")))
    entries = digest([searchable(document(), 7_654_321), facts_of(document(), 7_654_321)])

    assert {"FOLDING": (FOLDING, folded)} == {"FOLDING": (2, "7b4cd596a4dc6ade")}
    assert {"SQLite": (sqlite_index.FORM, tokens)} == {"SQLite": (4, "e5afb915276bece7")}
    assert {"PostgreSQL": (postgres_index.FORM, entries)} == {"PostgreSQL": (4, "0659fbfb12947d8e")}
