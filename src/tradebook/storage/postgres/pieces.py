"""Which pieces of a word the index is asked for: the rarest, by what some of the texts have told.

The index has a list of rows for each piece of three characters, and walks those that it is asked for. Most
pieces of an address of mail are common, as names are made of common words. Where two words meet, they are
rare.
"""

from collections import Counter
from collections.abc import Hashable, Sequence
from typing import NamedTuple

from tradebook.storage.postgres.stretches import Distances

LENGTH, SHORT = 3, 2
"""The length of the pieces that the index has; and of what it is asked for by all that begin with that."""

ASKED, ASKED_OF_EACH = 6, 2
"""How many pieces of all words are asked for at most, and how many of each word at least."""

SAMPLE, SAMPLES_MAX = 200, 5
"""How many texts of an account tell which pieces are common, and how many accounts do: all share an index."""

_SEEN_MAX = 1_000
"""Of how many accounts it is remembered that they were asked. Then all begin anew."""


class Pieces:
    """How common pieces are in the searched texts of a book, as a process has learned."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._seen: set[Hashable] = set()
        self._samples = 0

    def wants(self, place: Hashable) -> bool:
        """Tell whether texts of an index and an account should be learned from."""
        return self._samples < SAMPLES_MAX and place not in self._seen

    def learn(self, place: Hashable, texts: Sequence[str]) -> None:
        """Learn from the newest texts of an index and an account, if there are enough of them."""
        if len(self._seen) >= _SEEN_MAX:
            self._seen.clear()
        self._seen.add(place)
        if len(texts) >= SAMPLE:
            self._samples += 1
            for text in texts:
                self._counts.update({*_pieces(text), *_pieces(text, SHORT)})

    def of_word(self, text: str, words: int) -> list[str]:
        """List what the index is asked for of one of some words: the whole of it, or its rarest pieces."""
        pieces = _pieces(text)
        middle = len(pieces) // 2

        def order(at: int) -> tuple[int, int, int]:
            # Of those that are alike, such as lie apart, from the middle on.
            return self._counts[pieces[at]], (at - middle) % LENGTH, abs(at - middle)

        rarest = [*dict.fromkeys(pieces[at] for at in sorted(range(len(pieces)), key=order))]
        # As many as would cover it, at most.
        most = max(ASKED_OF_EACH, min(ASKED // words, -(-len(text) // LENGTH)))
        return rarest[:most] if len(rarest) > most else [text]

    def commonness(self, piece: str) -> int:
        """Tell in how many of the known texts a piece was."""
        return self._counts[piece]


def newest_texts(table: str, key: str) -> str:
    """Write what reads the texts of an account that are learned from."""
    return f"SELECT folded FROM {table} WHERE account_id = %(account_id)s ORDER BY {key} DESC LIMIT {SAMPLE}"


def _pieces(text: str, length: int = LENGTH) -> list[str]:
    return [text[at : at + length] for at in range(len(text) - length + 1)]


class Learned(NamedTuple):
    """What a process has learned of the searched texts of a book."""

    distances: Distances
    pieces: Pieces
