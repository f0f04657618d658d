"""Files as bodies: written to the disk as they come, with nothing left of what is cut or refused."""

import asyncio

import pytest

from tradebook.crud.uploads import FileBody
from tradebook.errors import MissingField, ParameterUnknown, PayloadTooLarge, RequestTimeout, ValidationFailed
from tradebook.storage.upload_files import UploadFolder
from tradebook.web.uploads import RATE_BYTES_MIN, Uploads

KIND = FileBody(
    formats={"text/csv": "csv", "application/json": "json"},
    endings={"csv": "csv", "xlsx": "xlsx"},
    description="",
    text_part="map",
    text_description="",
    example="",
)
FORM = "multipart/form-data; boundary=x"


@pytest.fixture
def folder(tmp_path):
    return UploadFolder(tmp_path / "imports")


def names_in(folder):
    """What files there are."""
    return sorted(path.name for path in folder.path.iterdir())


def uploads_in(folder, **settings):
    given = {"bytes_max": 1_000_000, "text_bytes_max": 100, "seconds_max": 5, "of_account_max": 1, **settings}
    return Uploads(folder, **given)


def receive(folder, content_type, *pieces, **settings):
    """Have the pieces of a body received, as the loop would."""

    async def arriving():
        for piece in pieces:
            await asyncio.sleep(0)
            yield piece

    uploads = uploads_in(folder, **settings)
    length = str(sum(map(len, pieces)))
    environ = {"CONTENT_LENGTH": length}

    async def received():
        return await uploads.arrived(environ, lambda: uploads._begin(1, KIND, content_type), arriving())

    try:
        return asyncio.run(received())
    finally:
        uploads.close()


def part(name, content, more=""):
    return f'--x\r\nContent-Disposition: form-data; name="{name}"{more}\r\n\r\n'.encode() + content + b"\r\n"


FILE = part("file", b"number\n1\n", '; filename="Kunden \u00e4.csv"')


def test_a_kept_file_stays_and_another_one_goes(folder):
    for is_kept in (True, False):
        received = receive(folder, "text/csv; charset=windows-1252", b"number\n", b"1\n")
        path = folder.find(received.uploaded.name)
        assert path.read_bytes() == b"number\n1\n"
        if is_kept:
            received.keep()
        received.close()
        received.close()
        assert path.exists() == is_kept
    assert (received.uploaded.format, received.uploaded.charset) == ("csv", "windows-1252")


@pytest.mark.parametrize("size", [1, 7, 10_000])
def test_a_form_is_read_however_it_is_cut(folder, size):
    body = FILE + part("map", '\ufeff[columns]\nname = "Café"\n'.encode()) + b"--x--\r\n"
    pieces = [body[at : at + size] for at in range(0, len(body), size)]

    received = receive(folder, FORM, *pieces)

    assert folder.find(received.uploaded.name).read_bytes() == b"number\n1\n"
    assert received.uploaded.text == '[columns]\nname = "Café"\n'
    assert (received.uploaded.file_name, received.uploaded.format) == ("Kunden ä.csv", "csv")
    received.close()


@pytest.mark.parametrize(
    ("body", "error", "param"),
    [
        (b"--x--\r\n", MissingField, "file"),
        (FILE, ValidationFailed, None),
        (b"no form at all", ValidationFailed, None),
        (FILE + FILE + b"--x--\r\n", ValidationFailed, "file"),
        (part("files", b"a") + b"--x--\r\n", ParameterUnknown, "files"),
        (FILE + part("map", b"\xff") + b"--x--\r\n", ValidationFailed, "map"),
        (FILE + part("map", b"#" * 101) + b"--x--\r\n", ValidationFailed, "map"),
        (part("file", b"", '; filename="a.csv"') + b"--x--\r\n", ValidationFailed, "file"),
    ],
)
def test_a_form_that_cannot_be_meant_is_refused_and_leaves_nothing(folder, body, error, param):
    with pytest.raises(error) as refused:
        receive(folder, FORM, body)

    assert type(refused.value) is error
    assert refused.value.param == param
    assert names_in(folder) == []


def test_a_file_over_the_limit_is_refused_while_it_comes(folder):
    with pytest.raises(PayloadTooLarge):
        receive(folder, "text/csv", *[b"x" * 100_000] * 11)

    assert names_in(folder) == []


def test_a_file_has_time_for_its_length_and_no_more(folder, monkeypatch):
    """The clock of the loop is moved on, instead of waiting."""
    monkeypatch.setattr("tradebook.web.uploads.WRITTEN_AT_ONCE", 1_000)

    def receive_at(rate):
        async def arriving():
            loop = asyncio.get_running_loop()
            began, clock = loop.time(), loop.time
            for count in range(40):
                now = began + count * 10_000 / rate
                monkeypatch.setattr(loop, "time", lambda now=now: now)
                await asyncio.sleep(0)
                await asyncio.sleep(0)
                yield b"x" * 10_000
            monkeypatch.setattr(loop, "time", clock)

        uploads = uploads_in(folder, seconds_max=1)

        async def received():
            environ = {"CONTENT_LENGTH": "400000"}
            return await uploads.arrived(environ, lambda: uploads._begin(1, KIND, "text/csv"), arriving())

        try:
            return asyncio.run(received())
        finally:
            uploads.close()

    receive_at(1.1 * RATE_BYTES_MIN).close()
    with pytest.raises(RequestTimeout):
        receive_at(0.5 * RATE_BYTES_MIN)
    assert names_in(folder) == []


def test_what_nobody_writes_and_no_row_names_is_swept(folder):
    left, wanted, written = folder.new(), folder.new(), folder.new()
    for file in (left, wanted):
        file.keep()
        file.close()

    folder.sweep(lambda name: name == wanted.name)

    assert names_in(folder) == sorted([wanted.name, written.name])
    written.close()


def test_what_two_sends_have_in_common_is_known_by_its_digest(folder):
    def digest(content_type, body):
        received = receive(folder, content_type, body)
        received.close()
        return received.digest

    form = FILE + b"--x--\r\n"
    same = form.replace(b"--x", b"--other"), "multipart/form-data; boundary=other"

    assert digest(FORM, form) == digest(same[1], same[0])
    assert digest(FORM, form) != digest(FORM, form.replace(b"1", b"2"))
    assert digest(FORM, form) != digest(FORM, FILE + part("map", b"") + b"--x--\r\n")
