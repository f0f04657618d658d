"""How many rows one transaction writes, and how long an import rests behind it: nobody is to wait long."""

AIM_SECONDS, AIM_BESIDE_SECONDS = 0.25, 0.08
"""How long a transaction of an import is to take, its commit included; and where others write too."""

ROWS_LEAST, ROWS_FIRST, ROWS_MAX = 50, 100, 2_000
"""However busy the machine is, a step has some rows: each has its price, beside that of its rows."""

PART_ROWS, PART_ROWS_ALONE = 100, 250
"""After how many rows a step looks at the clock, and whether somebody waits for its end; and where it decides
ahead, as nobody does. Each part has its price: what it asks the book, and what it says to the helper."""

GROWTH_MAX = 2.0

WAITED_SECONDS = 0.02
"""After which wait for its turn an import knows that others write too. On a busy machine, it waits for a few
milliseconds without anybody."""

REST_SECONDS = 0.06
"""How long it then rests behind each step; on a busy machine, as long as the step took. So those who stand in
line behind the first come in too."""

RESTS = 10
"""Behind how many steps it rests when it has last seen others."""


class Pace:
    """Follows how long rows take, and whether others write too. A slow step makes the next one smaller."""

    def __init__(self) -> None:
        self.rows = ROWS_FIRST
        self._rests = 0
        self._last_seconds = 0.0

    def note(self, rows: int, waited: float, seconds: float, *, is_awaited: bool = False) -> None:
        """Take note of a step: how long it waited for its turn, how long it took, who waited for its end."""
        self._last_seconds = seconds
        meets_others = is_awaited or waited > WAITED_SECONDS
        self._rests = RESTS if meets_others else max(0, self._rests - 1)
        if rows < self.rows and seconds < self.aim_seconds:
            # There were no more, which says little of what more would take.
            return
        wanted = int(rows * self.aim_seconds / max(seconds, 1e-6))
        self.rows = max(ROWS_LEAST, min(ROWS_MAX, wanted, int(GROWTH_MAX * self.rows)))

    @property
    def aim_seconds(self) -> float:
        """How long a step is to take."""
        return AIM_BESIDE_SECONDS if self._rests else AIM_SECONDS

    @property
    def rest_seconds(self) -> float:
        """How long to rest before the next step."""
        return max(REST_SECONDS, self._last_seconds) if self._rests else 0.0
