"""Import: a file's rows into the book, all of them or none.

The file is looked at first, against a snapshot, and nothing is written while that takes. What others change
in the meantime counts as done before: each row is decided again when it is written.
"""

from collections.abc import Callable, Iterable

from tradebook.storage.database import Database
from tradebook.transfer.imports.applying import apply_plan
from tradebook.transfer.imports.planning import AS_BY_DEFAULT, plan_customers
from tradebook.transfer.imports.summary import Summary
from tradebook.transfer.maps.options import Options
from tradebook.transfer.rows import Problem, Row

Report = Callable[[Problem], None]


def import_customers(
    database: Database,
    account_id: int,
    rows: Iterable[Row | Problem],
    options: Options = AS_BY_DEFAULT,
    *,
    report: Report,
    dry_run: bool = False,
    yes: bool = False,
) -> Summary:
    """Import rows. Every problem is reported; if there is one, nothing is written.

    Nothing is written either where a warning needs a `yes`.
    """
    with database.read(account_id) as reader:
        plan = plan_customers(reader, rows, options, tells_new=False)
    try:
        for problem in plan.problems() if plan.summary.problems else ():
            report(problem)
        if not dry_run and may_be_kept(plan.summary, yes=yes):
            plan.summary = apply_plan(database, account_id, plan)
    finally:
        plan.close()
    return plan.summary


def may_be_kept(summary: Summary, *, yes: bool) -> bool:
    """Tell whether a plan may be done as a whole."""
    return not summary.problems and (yes or not summary.needs_yes)
