"""How many tokens a text costs a model: an estimate that is rather too high than too low."""

import re

# Pieces are short, so that a text without a space can be cut too.
_PIECE = re.compile(r"[A-Za-z]{1,16}|[0-9]{1,12}|[^\x00-\x7f]{1,8}|\n+|[^\sA-Za-z0-9]", re.ASCII)
LETTERS_OF_A_TOKEN, DIGITS_OF_A_TOKEN, BYTES_OF_A_TOKEN = 4, 3, 2
"""What one token holds at least: of plain letters, of digits, and of the bytes of all other letters."""


def tokens(text: str) -> int:
    """Estimate what a text costs.

    Each model counts in its own way. They agree that a common word is one token, and that letters and digits
    in turn, as in an id, are one for each change. So words and digits are counted apart; punctuation counts
    as it stands, and a space belongs to the word behind it.
    """
    return sum(map(_tokens_of, _PIECE.findall(text)))


def _tokens_of(piece: str) -> int:
    if piece.isascii():
        per_token = DIGITS_OF_A_TOKEN if piece.isdecimal() else LETTERS_OF_A_TOKEN
        return -(-len(piece) // per_token)
    return -(-len(piece.encode()) // BYTES_OF_A_TOKEN)


def cut(text: str, tokens_max: int) -> str:
    """Cut a text that would cost more, and say how much of it is missing."""
    if tokens(text) <= tokens_max:
        return text
    note = "… ({:,} more characters)"
    left = tokens_max - tokens(note.format(len(text)))
    length = 0
    for piece in _PIECE.finditer(text):
        left -= _tokens_of(piece.group())
        if left < 0:
            break
        length = piece.end()
    return text[:length] + note.format(len(text) - length)
