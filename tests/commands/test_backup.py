"""`tradebook backup`: a verified copy for its owner alone, or no file at all."""

import json
import os
import resource
import signal
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress

import apsw
import pytest

from tests.fixtures.command_line import CommandLine
from tests.fixtures.engines import Sqlite
from tradebook.cli.output import FAILED, WRONG_USAGE
from tradebook.migrations import HEAD
from tradebook.storage.sqlite import backup as backup_module
from tradebook.storage.sqlite.backup import NotWhole, back_up


@pytest.fixture
def command(tmp_path):
    """A command line with a closed book of one account."""
    folder = tmp_path / "books"
    folder.mkdir()
    made = CommandLine(folder, Sqlite().new(folder))
    made.account = made.good("accounts", "create", "Acme")
    return made


def files_of(command):
    """List what there is beside the book."""
    return {path.name for path in command.folder.iterdir() if not path.name.startswith(book_of(command).name)}


def book_of(command):
    return command.folder / command.database.rpartition("/")[2]


def account_of(command, copy):
    listed = command.good("--database", f"sqlite:///{command.folder / copy}", "accounts", "list", "--json")
    return [account["id"] for account in json.loads(listed)]


@contextmanager
def no_file_longer_than(size):
    """Have the system refuse to let any file of this process grow."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_copy_of_a_closed_book_is_whole_and_for_its_owner_alone(command):
    told = json.loads(command.good("backup", "copy.db", "--json"))

    copy = command.folder / "copy.db"
    assert told == {"target": str(copy), "bytes": copy.stat().st_size, "schema": HEAD}
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    assert files_of(command) == {"copy.db"}
    assert account_of(command, "copy.db") == [command.account]


def test_a_copy_can_be_served_and_written_like_the_book(command):
    command.good("backup", "copy.db")

    restored = CommandLine(command.folder, f"sqlite:///{command.folder / 'copy.db'}")

    assert restored.good("keys", "create", "--account", command.account).startswith("tb_sk_")
    assert restored.run("migrate", "--check").returncode == 0


def test_what_stands_in_the_log_alone_is_copied(command):
    """While something has the book open, the last commits are not in its file."""
    open_still = apsw.Connection(str(book_of(command)))
    open_still.pragma("wal_autocheckpoint", 0)
    open_still.execute("UPDATE accounts SET name = 'Renamed'")

    command.good("backup", "copy.db")

    assert (
        apsw.Connection(str(command.folder / "copy.db")).execute("SELECT name FROM accounts").get == "Renamed"
    )
    open_still.close()


@pytest.mark.parametrize("name", ["copy.db", "copy.db.part"])
@pytest.mark.parametrize("kind", ["file", "link", "dangling link"])
def test_nothing_is_written_over_or_through_what_is_there(command, name, kind):
    other, there = command.folder / "other", command.folder / name
    if kind != "dangling link":
        other.write_text("kept")
    there.symlink_to(other) if "link" in kind else there.write_text("kept")
    before = files_of(command)

    done = command.run("backup", "copy.db")

    assert done.returncode == FAILED
    delete = ", or delete it if nothing uses it" if name.endswith(".part") else ""
    assert done.stderr == f"Error: {there} exists already. Choose another name{delete}.\n"
    assert files_of(command) == before
    assert kind == "dangling link" or there.read_text() == "kept"


@pytest.mark.parametrize("target", [".", "/", "books.db"])
def test_nobody_is_told_to_delete_what_is_no_copy(command, target):
    """The book itself may be what was named."""
    book_of(command).rename(command.folder / "books.db")
    command.database = f"sqlite:///{command.folder / 'books.db'}"

    done = command.run("backup", target)

    assert done.returncode == FAILED
    assert done.stderr.endswith(" exists already. Choose another name.\n")


@pytest.mark.parametrize("end", ["-wal", "-shm", "-journal", "-turns"])
def test_a_copy_is_not_what_sqlite_would_take_for_a_part_of_a_book(command, end):
    """Nor does it lie beside such a part: what stands in the log of another file would be read as its own."""
    left, book = command.folder / f"copy.db{end}", book_of(command)
    left.write_text("left")

    beside = command.run("backup", "copy.db")
    of_the_book = command.run("backup", f"{book.name}{end}")

    assert (beside.returncode, of_the_book.returncode) == (FAILED, FAILED)
    assert beside.stderr.startswith(f"Error: {left} exists already. Choose another name, or delete it")
    assert end == "-turns" or "it would be taken for a part of the book" in of_the_book.stderr
    assert files_of(command) == {left.name}
    assert account_of(command, book.name) == [command.account]


def test_a_folder_may_be_a_link_and_must_be_there(command):
    (command.folder / "real").mkdir()
    (command.folder / "link").symlink_to("real")

    command.good("backup", "link/copy.db")
    done = command.run("backup", "none/copy.db")

    assert (command.folder / "real" / "copy.db").exists()
    assert done.returncode == FAILED
    assert "No such file or directory" in done.stderr


@pytest.mark.parametrize("pages", [0, 3])
def test_a_full_disk_leaves_no_file(command, pages):
    with no_file_longer_than(pages * 4096):
        done = command.run("backup", "copy.db")

    assert done.returncode == FAILED
    assert done.stderr.startswith("Error: There is no backup: ")
    assert files_of(command) == set()
    command.good("backup", "copy.db")


@pytest.mark.parametrize("moment", ["_copy", "_verify", "_give_name"])
def test_interrupted_at_any_moment_it_leaves_no_file(command, monkeypatch, moment):
    whole = getattr(backup_module, moment)

    def interrupted(*arguments, **options):
        if moment != "_give_name":
            whole(*arguments, **options)
        raise KeyboardInterrupt

    monkeypatch.setattr(backup_module, moment, interrupted)

    with pytest.raises(KeyboardInterrupt):
        back_up(book_of(command), command.folder / "copy.db", timeout_ms=1_000)

    assert files_of(command) == set()


KILLED = """
import os, sys
from pathlib import Path
from tradebook.storage.sqlite import backup
def kill(*_, **__):
    os.kill(os.getpid(), 9)
owner, name = sys.argv[1].split(".")
setattr({"backup": backup, "Path": Path}[owner], name, kill)
backup.back_up(Path(sys.argv[2]), Path(sys.argv[3]), timeout_ms=1_000)
"""


def left(command, moment="backup._verify"):
    """Have a backup killed, and return the part that it leaves."""
    arguments = [moment, str(book_of(command)), str(command.folder / "copy.db")]
    done = subprocess.run([sys.executable, "-c", KILLED, *arguments], check=False)
    assert done.returncode == -signal.SIGKILL
    return command.folder / "copy.db.part"


@pytest.mark.parametrize("moment", ["backup._copy", "backup._verify", "backup._give_name"])
def test_what_a_kill_has_left_is_no_hindrance(command, moment):
    assert left(command, moment).exists()

    command.good("backup", "copy.db")

    assert files_of(command) == {"copy.db"}
    assert account_of(command, "copy.db") == [command.account]


def test_a_copy_that_was_named_before_the_kill_stays(command):
    """Its part is a second name of the same file."""
    part = left(command, "Path.unlink")
    kept = (command.folder / "copy.db").rename(command.folder / "kept.db")
    assert kept.samefile(part)

    command.good("backup", "copy.db")

    assert files_of(command) == {"copy.db", "kept.db"}
    assert account_of(command, "kept.db") == [command.account]


def test_a_part_that_another_backup_writes_is_left_to_it(command, monkeypatch):
    verify, seconds = backup_module._verify, []

    def verify_beside_another(part):
        seconds.append(command.run("backup", "copy.db"))
        return verify(part)

    monkeypatch.setattr(backup_module, "_verify", verify_beside_another)
    back_up(book_of(command), command.folder / "copy.db", timeout_ms=1_000)

    assert [(done.returncode, "copy.db.part exists already" in done.stderr) for done in seconds] == [
        (FAILED, True)
    ]
    assert files_of(command) == {"copy.db"}


def test_of_several_that_find_a_left_part_one_makes_the_backup(command):
    left(command)

    def try_to(_):
        with suppress(FileExistsError):
            return back_up(book_of(command), command.folder / "copy.db", timeout_ms=1_000)

    with ThreadPoolExecutor(8) as pool:
        made = [backup for backup in pool.map(try_to, range(8)) if backup is not None]

    assert len(made) == 1
    assert files_of(command) == {"copy.db"}
    assert account_of(command, "copy.db") == [command.account]


@pytest.mark.parametrize("change", ["text", "mode", "folder", "pipe", "link", "owner"])
def test_what_no_backup_has_left_is_kept(command, change):
    part = left(command)
    if change == "text":
        part.write_text("kept")
    elif change == "mode":
        part.chmod(0o644)
    elif change == "owner":
        if os.geteuid() != 0:
            pytest.skip("Only root can give a file to somebody else.")
        os.chown(part, 65534, 65534)
    else:
        part.rename(command.folder / "elsewhere")
        {
            "folder": part.mkdir,
            "pipe": lambda: os.mkfifo(part, 0o600),
            "link": lambda: part.symlink_to("elsewhere"),
        }[change]()
    before, known = files_of(command), part.lstat()

    done = command.run("backup", "copy.db")

    assert (done.returncode, "copy.db.part exists already" in done.stderr) == (FAILED, True)
    assert files_of(command) == before
    now = part.lstat()
    assert (now.st_ino, now.st_size, now.st_mtime_ns) == (known.st_ino, known.st_size, known.st_mtime_ns)


def test_a_file_that_gets_the_name_meanwhile_is_kept(command, monkeypatch):
    target, verify = command.folder / "copy.db", backup_module._verify

    def verify_late(part):
        target.write_text("kept")
        return verify(part)

    monkeypatch.setattr(backup_module, "_verify", verify_late)

    assert command.run("backup", "copy.db").returncode == FAILED
    assert files_of(command) == {"copy.db"}
    assert target.read_text() == "kept"


def damage(path):
    """Overwrite the middle of the file's last table page."""
    with path.open("r+b") as file:
        file.seek(path.stat().st_size - 4096)
        file.write(b"\x55" * 2048)


def refer_to_nothing(path):
    connection = apsw.Connection(str(path))
    connection.execute(
        "UPDATE service_levels SET carrier_id = 1 WHERE id = (SELECT min(id) FROM service_levels)"
    )
    connection.close()


def lose_the_schema(path):
    connection = apsw.Connection(str(path))
    connection.execute("DROP TABLE alembic_version")
    connection.close()


@pytest.mark.parametrize(
    ("fault", "sentence"),
    [(damage, "fault"), (refer_to_nothing, "service_levels refers"), (lose_the_schema, "no schema")],
)
def test_a_copy_that_is_not_whole_gets_no_name(command, fault, sentence):
    fault(book_of(command))

    with pytest.raises(NotWhole, match=sentence):
        back_up(book_of(command), command.folder / "copy.db", timeout_ms=1_000)

    assert command.run("backup", "copy.db").returncode == FAILED
    assert files_of(command) == set()


def test_no_book_is_made_to_be_copied(tmp_path):
    command = CommandLine(tmp_path, f"sqlite:///{tmp_path / 'book.db'}")

    done = command.run("backup", "copy.db")

    assert (done.returncode, list(tmp_path.iterdir())) == (FAILED, [])
    assert "There is no book at" in done.stderr


def test_a_book_on_a_server_is_backed_up_by_its_own_means(tmp_path):
    done = CommandLine(tmp_path, "postgresql://tradebook:secret@db/book").run("backup", "copy.db")

    assert done.returncode == WRONG_USAGE
    assert "pg_dump" in done.stderr
    assert "secret" not in done.stderr
