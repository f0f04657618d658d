"""How many rows each way of answering a question looks at, before another one is tried."""

WALKED_ROWS, WALKED_FAR = 500, 20_000
"""How many rows in list order are tested: at first, and again if some of the first were among the matches."""

DENSE = 5
"""How many matches among the first rows make it cheaper to walk on than to ask an index."""

MET = 300
"""How many rows of each of several conditions are read at first, to see which they have in common."""

MET_FAR, MET_SHARE = 20_000, 0.02
"""How many rows of each are read then at most; and of how little of a page all rows of them are read."""

ALIKE = 6
"""How many times as many rows another condition may have for all rows of both to be read.

That takes a sixth of the time of a look at another table for each row.
"""

LEVEL = 2
"""The same for as many rows of both as should fill a page: of the rarest alone that takes fewer rows."""

REACHED = 500
"""How many rows of each condition are read to see how far they reach: those of the rarest reach farthest."""

WALKED_ALONG = 2_000
"""How many rows of the rarest condition are searched for the words, before the index is asked for them."""

ENOUGH = 30
"""How many of these must have the words for more of them to be searched, before the index is asked."""

CANDIDATES_OF_WORDS = 50_000
"""How many rows that contain the words are tested for the conditions."""

CANDIDATES_NEAR = 2_000
"""How many rows that contain the words are read in that part of the list where they should fill the page."""

PART, PART_OF_FILTER = 60, 12
"""How many times as much of the list is asked for words that its first rows lack, alone and with filters."""

RARE = 4
"""Up to how many rows there with the words it is cheaper to read all that have them than a filter's rows."""

WORDS_ASKED, WORDS_KEPT = 12, 3
"""How many words, the longest ones, the index is asked for; the others are looked for in what it finds. And
of how many words at most a server keeps the statement: each number of words has its own."""
