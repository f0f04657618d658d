"""Which of two Latin code pages a list is in, by the alphabets of the languages that its words may be of."""

import re
from collections.abc import Iterable, Sequence

_WEST = (
    *("äöüß", "àâæçéèêëîïôœùûüÿ", "áéíñóúü", "àèéìòùî", "áâãàçéêíóôú", "àçéèíïóòúü"),
    *(
        "éëïöüèêóáç",
        "æøåéèôòêóáü",
        "åäöéàü",
        "áéíóúýþæðö",
        "áíóúýæøð",
        "äéëöü",
        "âêîôûëïáéíóú",
        "àèìòùé",
        "äõöü",
    ),
)
"""German, French, Spanish, Italian, Portuguese, Catalan; Dutch, Danish and Norwegian, Swedish and Finnish,
Icelandic, Faroese, Luxembourgish, Afrikaans and Welsh, Scottish."""
_EAST = {
    "cp1250": (
        *("áčďéěíňóřšťúůýž", "áäčďéíĺľňóôŕšťúýž", "ąćęłńóśźż", "áéíóöőúüű", "čćđšž", "ăâîşţ", "çë", "äöüß"),
    ),
    "cp1254": ("çğıöşüâîûi̇", "äöüß"),  # noqa: RUF001 - it is meant
    "cp1257": ("ąčęėįšųūž", "āčēģīķļņšūž", "äõöüšž", "äöüß"),
}
"""Czech, Slovak, Polish, Hungarian, Slovene to Serbian, Romanian, Albanian; Turkish; Lithuanian, Latvian,
Estonian; and German in each of them."""
PAGES = (("cp1250", "Windows-1250"), ("cp1254", "Windows-1254"), ("cp1257", "Windows-1257"))
_LANGUAGE, _WORD = 0.5, 2.0
"""What a language costs that is needed to explain the words, and a word that none explains."""
_CHEAPER_BY = 2.5
_OE = "õe"
"""The one place of õ in Portuguese: Estonian and Hungarian have it everywhere."""
_GUESTS = re.compile("[šžŠŽ]")
_ASCII = re.compile(r"[\x00-\x7f]+")


def page_by_alphabets(words: Iterable[bytes]) -> tuple[str, str] | None:
    """Name the code page whose languages explain the words far better than those of Windows-1252."""
    distinct = sorted(set(words))
    found = max((_saved(distinct, codec), (codec, told)) for codec, told in PAGES)
    return found[1] if found[0] >= _CHEAPER_BY else None


def _saved(words: Sequence[bytes], codec: str) -> float:
    """Say how much less it takes to explain words so; those that are the same in both are no evidence."""
    west, east = [], []
    for word in words:
        usual, other = word.decode("cp1252", "replace"), word.decode(codec, "replace")
        if usual != other or not _GUESTS.search(usual):
            west.append(_letters(usual.replace(_OE, "oe")))
            east.append(_letters(other))
    return _cost(west, _WEST) - _cost(east, _EAST[codec])


def _letters(word: str) -> frozenset[str]:
    return frozenset(_ASCII.sub("", word.strip("ºª’‘´«»“”„–—©®™·\xa0").lower()))  # noqa: RUF001


def _cost(words: list[frozenset[str]], languages: Sequence[str]) -> float:
    """Add up what languages, as few as explain most, and unexplained words cost."""
    cost, rest = 0.0, [word for word in words if word]
    while rest:
        left = min(([word for word in rest if not word <= set(each)] for each in languages), key=len)
        if len(left) == len(rest):
            break
        cost, rest = cost + _LANGUAGE, left
    return cost + _WORD * len(rest)
