"""The nearest of many names, in a time that hardly grows with their number."""

from collections import Counter, defaultdict
from difflib import SequenceMatcher

from tradebook.text import fold, shortened

_LENGTH_MAX = 80
_MET_MAX = 200
"""How many names with a pair of letters in common are counted, those with the rarest pairs first."""
_COMPARED_MAX = 6
_RATIO_MIN = 0.7


class Nearest:
    """Names, and which of them looks most like another one."""

    def __init__(self) -> None:
        self._names: list[tuple[str, tuple[str, str]]] = []
        self._having: defaultdict[str, list[int]] = defaultdict(list)

    def add(self, name: str) -> None:
        """Have a name be found."""
        forms = _forms(name)
        for pair in _pairs(forms[0]):
            self._having[pair].append(len(self._names))
        self._names.append((name, forms))

    def find(self, name: str) -> str | None:
        """Return the name that looks most like this one; None if none is near."""
        forms = _forms(name)
        met: Counter[int] = Counter()
        seen = 0
        for having in sorted((self._having.get(pair, ()) for pair in _pairs(forms[0])), key=len):
            met.update(having[: max(_MET_MAX - seen, 0)])
            seen += len(having)
        best = max(
            (
                (_likeness(forms, self._names[place][1]), -place)
                for place, _ in met.most_common(_COMPARED_MAX)
            ),
            default=(0.0, 0),
        )
        return self._names[-best[1]][0] if best[0] >= _RATIO_MIN else None


def _forms(name: str) -> tuple[str, str]:
    """Return what is compared: the letters and digits as they stand, and with the words in order."""
    # Of an e-mail, whose it is: the rest is often the same for all.
    bare = fold(shortened(name, _LENGTH_MAX)).partition("@")[0]
    letters = "".join(letter if letter.isalnum() else " " for letter in bare)
    words = letters.split()
    return "".join(words), "".join(sorted(words))


def _pairs(form: str) -> set[str]:
    return {form[place : place + 2] for place in range(max(len(form) - 1, 1))} if form else set()


def _likeness(one: tuple[str, str], other: tuple[str, str]) -> float:
    return max(SequenceMatcher(None, a, b).ratio() for a, b in zip(one, other, strict=True))
