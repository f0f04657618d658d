"""Imports over HTTP: a file is uploaded and planned, its plan is read, applied or discarded."""

from tests.contract.checks import check_envelope
from tests.fixtures.server import wait_until

PATH = "/v1/core/imports"


def upload(book, content=b"number,name\n1,A\n", content_type="text/csv", query="", **headers):
    return book.client.post(
        f"{PATH}{query}", content=content, headers={"Content-Type": content_type, **headers}
    )


def settled(book, at):
    found = {}

    def is_settled():
        found.update(book.client.get(at).json())
        return found["state"] not in {"planning", "applying"}

    wait_until(is_settled, "the import")
    return found


def test_x(book):
    a = upload(book)
    at = a.headers["location"]
    try:
        print(settled(book, at))
    finally:
        print(book.server.log.read_text()[-3000:])
    print(book.client.get(f"{at}/rows").text)
    print(book.client.post(f"{at}/actions/apply").text)
    print(settled(book, at))
    print(book.client.get("/v1/sales/customers").text)
