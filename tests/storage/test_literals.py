"""What is written into a statement is a value in it, whatever it holds, and comes back as it was."""

from time import monotonic

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tradebook.storage.postgres.connections import Connections, PatientConnection
from tradebook.storage.postgres.literals import Statement

LETTERS = st.one_of(
    st.sampled_from("'\\\"{},%;$- ()\n"), st.characters(codec="utf-8", exclude_characters="\0")
)
TEXTS = st.text(LETTERS, max_size=20) | st.sampled_from(
    ["NULL", "null", "'; DROP TABLE x; --", "\\'", "%(b)s"]
)
KEYS = st.integers(-(2**63), 2**63 - 1)


@pytest.fixture(scope="module", params=["on", "off"])
def connection(request, postgres):
    """A connection to a server that reads a backslash in a text as it is, or as the beginning of something."""
    with PatientConnection.connect(postgres.url_of("postgres"), autocommit=True) as made:
        made.execute(f"SET standard_conforming_strings = {request.param}")
        yield made


@given(text=TEXTS, key=KEYS, texts=st.lists(TEXTS | st.none()), keys=st.lists(KEYS), flag=st.booleans())
def test_values_come_back(connection, text, key, texts, keys, flag):
    sql = (
        "SELECT %(text)s::text, -%(key)s::numeric, %(texts)s::text[], %(keys)s::bigint[], %(flag)s::boolean,"
        " %(none)s::text, %(bytes)s::bytea"
    )
    values = {"text": text, "key": key, "texts": texts, "keys": keys, "flag": flag}
    whole = {**values, "none": None, "bytes": text.encode()}
    for connection.keeps in (False, True):
        # Each is the server's own kind of value in a statement that it keeps, but for one that is part of it.
        asked = Statement(sql, whole, is_kept=True, fixed=("text", "none"))

        ((found,), ((two,),)) = connection.together(asked, Statement("SELECT 2"))

        assert tuple(found) == (text, -key, texts, keys, flag, None, text.encode())
        assert two == 2


def test_what_no_text_of_the_server_can_hold_is_refused_here(connection):
    for value in ("a\0b", ["a\0b"]):
        with pytest.raises(psycopg.DataError):
            connection.written(Statement("SELECT %(a)s", {"a": value}))


def test_letters_are_sent_in_the_encoding_that_values_are_written_for(postgres):
    """Half of a letter of Shift JIS is a backslash."""
    connections = Connections(f"{postgres.url_of('postgres')}?client_encoding=sjis", patience_seconds=10)
    taken = connections.take(monotonic() + 10)

    assert taken.info.encoding == "utf-8"
    connections.give_back(taken)
    connections.close()
