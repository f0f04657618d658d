"""The second wall between accounts, on PostgreSQL: row-level security under a role of its own.

Every transaction puts on the role APPLICATION, which owns no table and can't pass by row-level security, and
names its account in a setting that ends with the transaction. A statement that forgot its account would then
see nothing but that account's rows. The first wall is `schema.prepare`.
"""

from collections.abc import Iterable, Iterator

APPLICATION = "tradebook_application"
ROLE_SETTING = "tradebook.role"
"""Says which role transactions put on where that is another one: a setting of the database."""

ACCOUNT_SETTING = "tradebook.account"
ALL_ACCOUNTS_SETTING = "tradebook.all_accounts"

# Every statement has an index to go by. Statistics that take an account for most of a table, or for next to
# nothing of it, must not talk the planner out of it; and many small requests are better off without helpers.
_PLANNER = (
    ("enable_seqscan", "off"),
    ("max_parallel_workers_per_gather", 0),
    ("random_page_cost", 1.1),
    ("jit", "off"),
)

# Behind a transaction the setting is left empty, not null.
OWN_ACCOUNT = f"NULLIF(current_setting('{ACCOUNT_SETTING}', true), '')::bigint"


def put_on(*, account_id: int | None, timeout_ms: int) -> str:
    """Write the statement that begins a transaction's part: whose it is, and how long a statement may take.

    Without an account the transaction sees the table of accounts and no tenant's rows.
    """
    settings = [
        ("statement_timeout", timeout_ms),
        ("lock_timeout", timeout_ms),
        *_PLANNER,
    ]
    settings += [(ALL_ACCOUNTS_SETTING, "on")] if account_id is None else [(ACCOUNT_SETTING, account_id)]
    role = f"set_config('role', COALESCE(current_setting('{ROLE_SETTING}', true), '{APPLICATION}'), true)"
    return "SELECT " + ", ".join(
        [role, *(f"set_config('{name}', '{value}', true)" for name, value in settings)]
    )


def create_role() -> Iterator[str]:
    """Write the statements that make the role, where there is none yet."""
    yield f"""DO $$ BEGIN
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{APPLICATION}') THEN
            CREATE ROLE {APPLICATION} NOLOGIN;
            GRANT {APPLICATION} TO CURRENT_USER;
        END IF;
        EXECUTE format('GRANT USAGE ON SCHEMA %I TO {APPLICATION}', current_schema());
    END $$"""


def open_table(table: str) -> Iterator[str]:
    """Write the statement that lets the application use a table that is no tenant's."""
    yield f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO {APPLICATION}"


def guard_table(table: str) -> Iterator[str]:
    """Write the statements that let the application use the rows of its account, and no others."""
    yield from open_table(table)
    yield f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY"
    yield f"CREATE POLICY own_account ON {table} TO {APPLICATION} USING (account_id = {OWN_ACCOUNT})"


def guard_accounts() -> Iterator[str]:
    """Write the statements for the table of accounts, which may be listed as a whole where that is said."""
    yield from guard_table("accounts")
    yield (
        f"CREATE POLICY all_accounts ON accounts FOR SELECT TO {APPLICATION}"
        f" USING (current_setting('{ALL_ACCOUNTS_SETTING}', true) = 'on')"
    )


def guard_search(table: str, view: str) -> Iterator[str]:
    """Write the statements for searched text: under row-level security no trigram index could be used.

    The planner must not evaluate LIKE before it knows that a row may be seen. A view that is no security
    barrier has the same condition on the account, and lets the index be used.
    """
    yield f"CREATE VIEW {view} AS SELECT * FROM {table} WHERE account_id = {OWN_ACCOUNT}"
    yield f"GRANT SELECT ON {view} TO {APPLICATION}"


def take_down(tables: Iterable[str], searched: Iterable[tuple[str, str]]) -> Iterator[str]:
    """Write the statements that leave the first wall alone, for where settings don't reach the rows.

    Citus hands statements on to other servers, and neither the role nor what `set_config` has set with them.
    """
    for name in tables:
        yield f"ALTER TABLE {name} DISABLE ROW LEVEL SECURITY"
    for table, view in searched:
        yield f"CREATE OR REPLACE VIEW {view} AS SELECT * FROM {table}"
    setting = f"ALTER DATABASE %I SET {ROLE_SETTING} = none"
    yield f"DO $$ BEGIN EXECUTE format('{setting}', current_database()); END $$"
