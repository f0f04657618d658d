"""How many rows are written in one transaction, so that nobody waits long for it."""

AIM_SECONDS = 0.15
"""How long a transaction of an import is to take, its commit included."""

ROWS_FIRST, ROWS_MAX = 100, 5_000
GROWTH_MAX = 2.0


class Pace:
    """Follows how long rows take: a step that took too long makes the next one smaller at once."""

    def __init__(self) -> None:
        self.rows = ROWS_FIRST

    def note(self, rows: int, seconds: float) -> None:
        """Take note of a step."""
        if rows < self.rows and seconds < AIM_SECONDS:
            # There were no more, which says little of what more would take.
            return
        wanted = int(rows * AIM_SECONDS / max(seconds, 1e-6))
        self.rows = max(1, min(ROWS_MAX, wanted, int(GROWTH_MAX * self.rows)))
