"""Imports over HTTP: what an upload answers, and what it refuses."""

from tests.contract.checks import check_envelope

PATH = "/v1/core/imports"


def upload(book, content=b"number,name\n1,A\n", content_type="text/csv", query="", **headers):
    return book.client.post(
        f"{PATH}{query}", content=content, headers={"Content-Type": content_type, **headers}
    )


def test_x(book):
    a = upload(book)
    print(a.status_code, a.headers, a.text)
    print(book.server.log.read_text()[-3000:])
    print(book.client.get(a.headers["location"]).text)
    print(book.client.get(PATH).text)
    r = book.client.get(a.headers["location"] + "/rows")
    print(r.status_code, r.text)
    r = book.client.post(a.headers["location"] + "/actions/apply")
    print(r.status_code, r.text)
    r = book.client.post(a.headers["location"] + "/actions/discard")
    print(r.status_code, r.text)
    for t in ("application/pdf", "", "multipart/form-data", "multipart/form-data; boundary=x"):
        a = upload(book, content_type=t)
        print(t, a.status_code, a.text)
    for q in ("?encoding=foo", "?match=nr", "?only=x", "?keep_empty=1", "?sheet=", "?mapp=1", "?map=x&map=y"):
        a = upload(book, query=q)
        print(q, a.status_code, a.text)
    a = book.client.post(PATH, files={"file": ("a.csv", b"number\n1\n"), "map": ("m.toml", b"[columns]\n")})
    print(a.status_code, a.text)
    for i in range(2):
        a = upload(book, **{"Idempotency-Key": "k"})
        print(a.status_code, a.headers, a.text)
    a = upload(book, content=b"x", **{"Idempotency-Key": "k"})
    print(a.status_code, a.text)
    a = upload(book, content=b"x" * 2_000_000)
    print(a.status_code, a.text)
