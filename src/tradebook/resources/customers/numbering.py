"""Automatic customer numbers: the next after the largest that the account has ever had."""

import sqlalchemy as sa

from tradebook.resources.customers.tables import customers
from tradebook.storage.accounts import accounts
from tradebook.storage.database import Reader, Writer
from tradebook.storage.schema import ACCOUNT, any_of, prepare

DIGITS_MAX = 15
"""A number of more digits is like any other text: the sequence does not continue after it."""

_LAST = prepare(sa.select(accounts.c.last_customer_number).where(accounts.c.account_id == ACCOUNT))
_SET_LAST = prepare(
    sa.update(accounts)
    .where(accounts.c.account_id == ACCOUNT)
    .values(last_customer_number=sa.bindparam("last"))
)
_TAKEN = prepare(
    sa.select(customers.c.number_folded).where(
        # Digits have no case.
        customers.c.account_id == ACCOUNT,
        any_of(customers.c.number_folded, "numbers"),
    )
)


def continues_from(number: str) -> bool:
    """Tell whether the sequence continues after this number."""
    return len(number) <= DIGITS_MAX and number.isascii() and number.isdigit()


class Numbering:
    """The account's sequence of customer numbers during one change of the book."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer
        self._saved: int = writer.rows(_LAST)[0][0]
        self._last = self._saved

    @staticmethod
    def foresee(reader: Reader) -> None:
        """Say that the sequence will be wanted."""
        reader.foresee(_LAST)

    def saw(self, number: str) -> None:
        """Notice a number that was given: the sequence continues after the largest one."""
        if continues_from(number):
            self._last = max(self._last, int(number))

    def next(self, count: int) -> list[str]:
        """Return this many numbers that no customer has."""
        free: list[str] = []
        while len(free) < count:
            start = self._last + 1
            self._last += count - len(free)
            numbers = [str(number) for number in range(start, self._last + 1)]
            taken = {number for (number,) in self._writer.rows(_TAKEN, numbers=numbers)}
            free += [number for number in numbers if number not in taken]
        return free

    def save(self) -> None:
        """Store the end of the sequence in the account."""
        if self._last != self._saved:
            self._writer.run(_SET_LAST, last=self._last)
