"""A file is imported by a program: uploaded, waited for, looked at, applied."""

import io

import pytest

from tests.client.proxy import Cut, Proxy
from tests.fixtures.book import walk
from tradebook_client import Conflict, Invalid
from tradebook_client.uploads import map_of, sent

SERVED = pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
FILE = b"Firma;Nr\nZo\xc3\xab;1\n;2\n"
MAP = '[columns]\nname = "Firma"\nnumber = "Nr"\n'


@SERVED
def test_a_file_with_a_map_is_planned_looked_at_and_applied(book, clients, tmp_path):
    path, map_path = tmp_path / "Kunden.csv", tmp_path / "map.toml"
    path.write_bytes(FILE)
    map_path.write_text(MAP)
    client = clients.of(book)

    started = client.imports.create(path, map=map_path, match=["number"], only="create")
    started.wait(timeout=30)

    assert (started.state, started.told.file_name, started.told.options.match) == (
        "planned",
        "Kunden.csv",
        ["number"],
    )
    assert [row.line for row in started.rows()] == [2, 3]
    assert [row.problems[0].column for row in started.rows(outcome=["problem"])] == ["name"]
    with pytest.raises(Conflict) as refused:
        started.apply()
    assert refused.value.param == "rejects"
    started.apply(rejects=True)
    assert client.imports.wait(started.id, timeout=30).state == "applied"
    assert [customer["name"] for customer in walk(book.client)] == ["Zoë"]
    assert [each.id for each in client.imports.list(states=["applied"])] == [started.id]


@SERVED
def test_bytes_and_open_files_are_sent_and_given_up(book, clients):
    client = clients.of(book)
    for file in (b"number,name\n1,A\n", io.BytesIO(b'{"number": "1", "name": "A"}\n')):
        started = client.imports.create(file)
        assert started.wait(timeout=30).summary.created == 1
        assert started.progress.rows == started.progress.total == 1
        assert started.discard().state == "discarded"
    with pytest.raises(Invalid):
        client.imports.create(b"name\n", format="csv", map="shopfy")


@SERVED
def test_a_file_is_sent_again_from_its_beginning_where_that_can_help(book, clients):
    with Proxy(book.server.url, [Cut()]) as proxy:
        client = clients.of(book, proxy.url)
        file = io.BytesIO(b"no part of it\nnumber,name\n1,A\n")
        file.seek(14)

        started = client.imports.create(file, file_name="a.csv")

    assert started.wait(timeout=30).summary.created == 1
    assert len(list(client.imports.list())) == 1


def test_a_body_is_as_long_as_it_says():
    for map_text in (None, b"[columns]"):
        body = sent(b"number\n1\n", "csv", 'a "b".csv', map_text)
        whole = b"".join(body.pieces())
        assert len(whole) == body.length
        assert whole.count(b"--" + body.content_type.partition("boundary=")[2].encode()) == 2 + (
            map_text is not None
        )


def test_a_file_of_an_unknown_kind_and_one_that_is_open_for_text_are_refused():
    for file, name, error in ((b"number\n", "a.dat", ValueError), (io.StringIO("number"), None, TypeError)):
        with pytest.raises(error):
            sent(file, None, name, None)


def test_a_map_is_a_name_of_the_server_or_a_file_or_its_text(tmp_path):
    path = tmp_path / "shop.map"
    path.write_text(MAP)
    assert map_of("shopify") == ("shopify", None)
    for own in (path, str(path), MAP, MAP.encode(), MAP.splitlines()[1]):
        name, text = map_of(own)
        assert (name, text) in {(None, MAP.encode()), (None, b'name = "Firma"')}
