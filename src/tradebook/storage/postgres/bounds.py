"""How many rows each way of answering a question looks at, before another one is tried."""

WALKED_ROWS = 500
"""How many rows in list order are tested first: they tell how dense the matches are."""

VALUES_COMPARED = 8
"""Of how many values a filter may be for its facts to be compared in each of these."""

CANDIDATES, CANDIDATES_OF_A_PAGE = 1_500, 4
"""How many rows that the index has found are tested, at least, and for each row of a page."""

PART = 60
"""How many times as much of the list is asked for at most, where a part has not filled the page."""

PARTS = 8
"""How many parts are asked for, by their length and then by their rows, before the list is walked."""

WORDS_ASKED, WORDS_KEPT = 12, 3
"""How many words, the longest ones, the index is asked for; the others are looked for in what it finds. And
of how many words at most a server keeps the statement: each number of words has its own."""
