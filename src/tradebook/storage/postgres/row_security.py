"""The second wall between accounts, on PostgreSQL: row-level security under a role of its own.

Every transaction switches to the role APPLICATION, which owns no table and can't bypass row-level security.
It names its account in a setting that ends with the transaction. So even a statement that forgot its
account sees only that account's rows. The first wall is `schema.prepare`.
"""

from collections.abc import Iterable, Iterator

from tradebook.storage.postgres.literals import Statement

APPLICATION = "tradebook_application"
ROLE_SETTING = "tradebook.role"
"""A setting of the database: the role that transactions switch to, if it is not APPLICATION."""

NO_ROLE = "none"
"""Its value where there is no role to switch to."""

ACCOUNT_SETTING = "tradebook.account"
ALL_ACCOUNTS_SETTING = "tradebook.all_accounts"

# Every statement has an index that serves it. The planner must use it, even if the statistics say that an
# account is most of a table, or hardly anything of it. Many small requests are faster without parallel
# workers.
_PLANNER = (
    ("enable_seqscan", "off"),
    ("max_parallel_workers_per_gather", 0),
    ("random_page_cost", 1.1),
    ("jit", "off"),
    # Of the statements that a connection keeps: one plan for any account.
    ("plan_cache_mode", "force_generic_plan"),
)

# What the index of everything may put off, in kB: every search reads it, and it has to be taken in at once.
# Where many rows are written, more at a time costs less.
_PUT_OFF = "gin_pending_list_limit"
_PUT_OFF_BY_FEW, _PUT_OFF_BY_MANY = 1024, 4096

_ROLE = f"set_config('role', COALESCE(current_setting('{ROLE_SETTING}', true), '{APPLICATION}'), true)"

# After a transaction the setting is empty, not null.
OWN_ACCOUNT = f"NULLIF(current_setting('{ACCOUNT_SETTING}', true), '')::bigint"


def _settings(name: str) -> str:
    limits = [(limit, "%(timeout)s::text") for limit in ("statement_timeout", "lock_timeout")]
    planner = [(setting, f"'{value}'") for setting, value in (*_PLANNER, (_PUT_OFF, _PUT_OFF_BY_FEW))]
    settings = [*limits, *planner, (name, "%(own)s::text")]
    return "SELECT " + ", ".join(
        [_ROLE, *(f"set_config('{setting}', {value}, true)" for setting, value in settings)]
    )


_OF_ACCOUNT, _OF_ALL_ACCOUNTS = map(_settings, (ACCOUNT_SETTING, ALL_ACCOUNTS_SETTING))


def own_account(account_id: int) -> str:
    """Write the statement that sets role and account, for a look at one row, which needs no more."""
    return f"SELECT {_ROLE}, set_config('{ACCOUNT_SETTING}', '{account_id:d}', true)"


def of_many_rows() -> Statement:
    """Write the statement that a transaction begins to write many rows with."""
    return Statement(f"SELECT set_config('{_PUT_OFF}', '{_PUT_OFF_BY_MANY}', true)")


def put_on(*, account_id: int | None, timeout_ms: int) -> Statement:
    """Write the statement that sets role, account and time limits for a transaction.

    Without an account, the transaction sees the table of accounts and no rows of any account.
    """
    if account_id is None:
        return Statement(_OF_ALL_ACCOUNTS, {"timeout": timeout_ms, "own": "on"}, is_kept=True)
    return Statement(_OF_ACCOUNT, {"timeout": timeout_ms, "own": account_id}, is_kept=True)


def create_role() -> Iterator[str]:
    """Write the statements that make the role, if it does not exist."""
    yield f"""DO $$ BEGIN
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{APPLICATION}') THEN
            CREATE ROLE {APPLICATION} NOLOGIN;
            GRANT {APPLICATION} TO CURRENT_USER;
        END IF;
        EXECUTE format('GRANT USAGE ON SCHEMA %I TO {APPLICATION}', current_schema());
    END $$"""


def open_table(table: str) -> Iterator[str]:
    """Write the statement that lets the application use a table that belongs to no account."""
    yield f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO {APPLICATION}"


def guard_table(table: str) -> Iterator[str]:
    """Write the statements that let the application use only the rows of the transaction's account."""
    yield from open_table(table)
    yield f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY"
    yield f"CREATE POLICY own_account ON {table} TO {APPLICATION} USING (account_id = {OWN_ACCOUNT})"


def guard_accounts() -> Iterator[str]:
    """Write the statements for the table of accounts. With a setting, a transaction may list all of it."""
    yield from guard_table("accounts")
    yield (
        f"CREATE POLICY all_accounts ON accounts FOR SELECT TO {APPLICATION}"
        f" USING (current_setting('{ALL_ACCOUNTS_SETTING}', true) = 'on')"
    )


def guard_search(table: str, view: str, columns: str) -> Iterator[str]:
    """Write the statements for searched text, which has a view instead of row-level security.

    Under row-level security, PostgreSQL may not evaluate LIKE before it knows that a row is visible, so it
    could not use the index of everything. The view has the same condition on the account without being a
    security barrier. It is written in such a way that no index of keys serves it: where the planner believes
    that an account has few rows, it would read all of these by their key.
    """
    own = "account_id + 0"
    yield (
        f"CREATE OR REPLACE VIEW {view} AS SELECT {own} AS account_id, {columns} FROM {table}"
        f" WHERE {own} = {OWN_ACCOUNT}"
    )
    yield f"GRANT SELECT ON {view} TO {APPLICATION}"


def take_down(tables: Iterable[str], searched: Iterable[tuple[str, str, str]]) -> Iterator[str]:
    """Write the statements that remove the second wall; only the first one remains.

    Citus sends statements to other servers, but neither the role nor the settings of `set_config`.
    """
    for name in tables:
        yield f"ALTER TABLE {name} DISABLE ROW LEVEL SECURITY"
    for table, view, columns in searched:
        yield f"CREATE OR REPLACE VIEW {view} AS SELECT account_id, {columns} FROM {table}"
    setting = f"ALTER DATABASE %I SET {ROLE_SETTING} = {NO_ROLE}"
    yield f"DO $$ BEGIN EXECUTE format('{setting}', current_database()); END $$"
