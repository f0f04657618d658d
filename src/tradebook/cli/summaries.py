"""What the terminal says of an import: what was recognised, what is wrong, what it did, or would do."""

from collections.abc import Callable, Iterable, Iterator

import msgspec

from tradebook.cli.output import tell
from tradebook.resources.import_shapes import ImportDoubt
from tradebook.text import counted, quoted, shown
from tradebook.transfer.imports.plan import Plan
from tradebook.transfer.imports.summary import Summary
from tradebook.transfer.maps.mending import mending_line
from tradebook.transfer.rows import Problem

LINES_MAX = 20
"""How many lines there are of problems, of warnings, and of names."""

_FIRST_LINES = 3
_KEPT_MAX = 5_000
"""How many different problems are told apart."""

_Key = tuple[str | None, str | None, str | None, str, bool]


class Cause(msgspec.Struct):
    """Problems, or warnings, of one column with one reason and one value."""

    told: Problem | ImportDoubt
    """The first of them."""
    count: int = 0
    lines: list[int] = []

    def __str__(self) -> str:
        """Write it as one line."""
        told = self.told
        if self.count == 1 and isinstance(told, Problem):
            return str(told)
        heading = told.heading if isinstance(told, Problem) else None
        name = f"{heading} ({told.column})" if heading and told.column else heading or told.column
        value = f"{quoted(told.value)} " if told.value else ""
        where = f"line {self.lines[0]}" if self.count == 1 else ""
        place = ", ".join(filter(None, [where, shown(name or "")]))
        text = f"{place}: " if place else ""
        text += f"{value}{shown(told.reason)}"
        if self.count > 1:
            text = (
                f"{text.removesuffix('.')}: {self.count:,} rows, first line {', '.join(map(str, self.lines))}"
            )
        return text


class Causes:
    """Brings together what has one cause."""

    def __init__(self, found: Iterable[Problem | ImportDoubt]) -> None:
        self._by_key: dict[_Key, Cause] = {}
        self._untold = 0
        for each in found:
            self._add(each)

    def _add(self, each: Problem | ImportDoubt) -> None:
        heading = each.heading if isinstance(each, Problem) else None
        needs_yes = isinstance(each, ImportDoubt) and each.needs_yes
        key = (each.column, heading, each.value, each.reason, needs_yes)
        cause = self._by_key.get(key)
        if cause is None:
            if len(self._by_key) >= _KEPT_MAX:
                self._untold += 1
                return
            cause = self._by_key[key] = Cause(each, lines=[])
        cause.count += 1
        if len(cause.lines) < _FIRST_LINES:
            cause.lines.append(each.line)

    def most(self) -> list[Cause]:
        """List the causes of most, in the order of the file."""
        causes = list(self._by_key.values())
        most = sorted(causes, key=lambda cause: -cause.count)[:LINES_MAX]
        return [cause for cause in causes if any(cause is each for each in most)]

    def left(self) -> int:
        """Tell how many problems have another cause."""
        every = sum(cause.count for cause in self._by_key.values()) + self._untold
        return every - sum(cause.count for cause in self.most())


def tell_problems(problems: Iterable[Problem]) -> None:
    """Tell what is wrong, each cause once."""
    causes = Causes(problems)
    for cause in causes.most():
        tell(str(cause))
        mending = mending_line(cause.told) if isinstance(cause.told, Problem) else None
        if mending is not None:
            tell(f"  A map would mend it: {shown(mending)}")
    if causes.left():
        tell(f"… and {counted(causes.left(), 'more problem')}. --json tells all of them.")


def tell_warnings(warnings: Iterable[ImportDoubt]) -> None:
    """Tell what looks wrong, each cause once."""
    causes = Causes(warnings)
    for cause in causes.most():
        assert isinstance(cause.told, ImportDoubt)
        tell(f"Warning: {cause}{' (needs --yes)' if cause.told.needs_yes else ''}")
    if causes.left():
        tell(f"… and {counted(causes.left(), 'more warning')}. --json tells all of them.")


def tell_findings(plan: Plan) -> None:
    """Tell what a file turned out to be, what is wrong with it, and what looks wrong."""
    for line in plan.summary.recognised.lines():
        tell(line)
    # Each reads the whole plan again.
    if plan.summary.problems:
        tell_problems(plan.problems())
    if plan.summary.warnings:
        tell_warnings(plan.warnings())


def tell_summary(summary: Summary, say: Callable[[str], None] = tell) -> None:
    """Tell what an import did, or would do, in numbers and names."""
    for line in _numbers(summary):
        say(line)


def _numbers(summary: Summary) -> Iterator[str]:
    counts = [f"{getattr(summary, name):,} {name}" for name in ("created", "updated", "unchanged")]
    for count, what in (
        (summary.skipped, "left out"),
        (summary.joined, "joined to the row before"),
        (summary.faulty, "with a problem"),
    ):
        counts += [f"{count:,} {what}"] if count else []
    yield f"{counted(summary.rows, 'row')} read: customers {', '.join(counts)}."
    for rule in summary.skipped_by:
        what = f"is {quoted(rule.is_)}" if rule.is_ else "is empty"
        yield f"Left out, because {shown(rule.column)} {what}: {counted(rule.rows, 'row')}."
    if summary.cleared:
        listed = ", ".join(f"{column} {count:,}" for column, count in sorted(summary.cleared.items()))
        yield f"Values that {'became' if summary.is_kept else 'would become'} empty: {listed}."
    if summary.made:
        yield from _made(summary)


def _made(summary: Summary) -> Iterator[str]:
    listed = ", ".join(_counted_of(kind, len(made)) for kind, made in summary.made.items())
    yield f"Made on the way: {listed}."
    every = [(kind, name) for kind, made in summary.made.items() for name in made]
    for kind, made in every[:LINES_MAX]:
        if kind == "sales_reps_renamed":
            yield f"  line {made.line}, sales rep: {quoted(made.name)} gets another name"
            continue
        near = "" if made.nearest is None else f"; there is {quoted(made.nearest)}"
        yield f"  line {made.line}, {_one_of(kind)}: {quoted(made.name)} is new{near}"
    if len(every) > LINES_MAX:
        yield f"  … and {counted(len(every) - LINES_MAX, 'more name')}. --json tells all of them."


def _one_of(kind: str) -> str:
    """Call one of a kind of names, which are called like `sales_reps`."""
    return kind.replace("_", " ").removesuffix("s")


def _counted_of(kind: str, number: int) -> str:
    if kind == "sales_reps_renamed":
        return f"{counted(number, 'sales rep')} renamed"
    return counted(number, _one_of(kind))
