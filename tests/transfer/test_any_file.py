"""No file is a crash: random bytes, and good files of every format cut, shuffled and overwritten."""

import gzip
import io
import json
import zipfile

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fixtures.lengths import length
from tests.fixtures.workbooks import ods, xlsx
from tradebook.transfer.files.rejects import rejects_writer
from tradebook.transfer.files.rows import read_file
from tradebook.transfer.rows import FileOptions, Problem, Row

EXAMPLES = length(40, 3_000)
CSV = 'number;name;note\r\n1;Müller;"a\r\nb"\r\n2;Ørsted;"say ""x"""\r\n'
RECORDS = [
    {"number": "1", "name": "Zoë", "bill_to": {"country": "FR"}},
    {"number": 12.50, "price_groups": ["a"]},
]
SHEET = [["number", "name"], [417, "Müller"], ["2", True]]
FILES = {
    "csv": CSV.encode(),
    "utf-16": CSV.encode("utf-16"),
    "cp1252": CSV.encode("cp1252"),
    "ndjson": "\n".join(json.dumps(record, ensure_ascii=False) for record in RECORDS).encode(),
    "json": json.dumps(RECORDS, indent=1).encode(),
    "nested json": json.dumps({"count": 2, "data": {"customers": RECORDS}, "more": [1]}).encode(),
    "gzip": gzip.compress(CSV.encode(), mtime=0),
    "xlsx": xlsx(SHEET),
    "ods": ods(SHEET),
}
FORMATS = ("csv", "ndjson", "json", "workbook", None)


def read(content, file_format, options):
    """Read a file to its end; every item is a row or a problem that can be told and written down."""
    reader = read_file(io.BytesIO(content), file_format, None, options)
    rejected = io.BytesIO()
    lines = []
    items = list(reader)
    with rejects_writer(reader, rejected) as rejects:
        for item in items:
            assert isinstance(item, Row | Problem)
            assert item.line >= 1
            problems = [item] if isinstance(item, Problem) else item.problems
            assert all(str(problem).isprintable() for problem in problems)
            msgspec.json.encode(problems)
            if isinstance(item, Row):
                assert not (problems and set(item.refused) & set(item.values))
                msgspec.msgpack.encode(item.raw)
                rejects.add(item.raw, problems)
                lines.append(item.line)
    assert lines == sorted(lines)
    assert all(line.isprintable() for line in reader.recognised.lines())
    msgspec.json.encode(reader.recognised)
    return items


@st.composite
def damaged(draw):
    """Draw a good file with something done to its bytes."""
    content = bytearray(draw(st.sampled_from(list(FILES.values()))))
    for _ in range(draw(st.integers(0, 3))):
        at = draw(st.integers(0, len(content)))
        what = draw(st.integers(0, 3))
        if what == 0:
            del content[at:]
        elif what == 1:
            content[at : at + 4] = draw(st.binary(max_size=8))
        elif what == 2:
            content[at:at] = draw(
                st.sampled_from([b'"', b"\0", b"\xff", b"\n", b";", b"{", b"]", b"\x1b[31m", b"\xc3"])
            )
        else:
            content = content[at:] + content[:at]
    return bytes(content)


OPTIONS = st.builds(
    FileOptions,
    encoding=st.none()
    | st.sampled_from(["utf-8", "cp1252", "utf-16", "shift_jis", "utf-7", "iso2022_jp", "hz", "nonsense"]),
    separator=st.none() | st.sampled_from([";", ",", "\\t", "::", "x"]),
    header=st.none() | st.integers(0, 4),
    sheet=st.none() | st.sampled_from(["Sheet", "nope"]),
    unguard=st.booleans(),
)


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(content=damaged() | st.binary(max_size=200), file_format=st.sampled_from(FORMATS), options=OPTIONS)
def test_no_file_is_a_crash(content, file_format, options):
    read(content, file_format, options)


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_no_damage_inside_a_workbook_is_a_crash(data):
    """The parts of a workbook, each damaged before they are packed, so that no check sum gives it away."""
    source = data.draw(st.sampled_from([FILES["xlsx"], FILES["ods"]]))
    packed = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(source)) as parts,
        zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as made,
    ):
        names = parts.namelist()
        hurt = data.draw(st.sampled_from(names))
        for name in names:
            content = bytearray(parts.read(name))
            if name == hurt:
                at = data.draw(st.integers(0, len(content)))
                content[at : at + data.draw(st.integers(0, 30))] = data.draw(
                    st.binary(max_size=10)
                    | st.sampled_from([b'<c r="A9" s="999999"><v>x</v></c>', b"&lol;", b' r="ZZZZ99999999"'])
                )
            made.writestr(name, bytes(content))

    read(packed.getvalue(), "workbook", FileOptions())


@pytest.mark.parametrize("name", FILES)
def test_the_good_files_are_good(name):
    """So that the damage is what the tests above are about."""
    items = read(FILES[name], None, FileOptions())

    assert [type(item) for item in items] == [Row, Row]
    assert not any(item.problems for item in items)


def test_the_check_notices_a_row_that_is_lost_to_an_exception(monkeypatch):
    """The planted fault."""
    monkeypatch.setattr("tradebook.transfer.files.tables.unescape", lambda _: 1 / 0)

    with pytest.raises(ZeroDivisionError):
        read(b"number,name\n1,'x\n", "csv", FileOptions())
