"""What the bench relies on: the processor time of a process tree, and a generator that counts honestly."""

import subprocess
import sys
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar

import pytest

from bench.load import Job, sample
from bench.processes import cpu_seconds, memory_mib, tree

# It uses the processor in a child that ends and in one that lives on, and none itself.
WORK = "import time\nend = time.process_time() + 0.12\nwhile time.process_time() < end: pass\n"
TREE = (
    "import subprocess, sys\n"
    f"work = {WORK!r}\n"
    "subprocess.run([sys.executable, '-S', '-c', work])\n"
    "alive = subprocess.Popen([sys.executable, '-S', '-c', work + 'print(flush=True); input()'],"
    " stdin=subprocess.PIPE, stdout=subprocess.PIPE)\n"
    "alive.stdout.readline(); print('done', flush=True); input()\n"
)


def test_processor_time_is_that_of_the_whole_tree_and_of_what_has_ended():
    command = [sys.executable, "-S", "-c", TREE]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        process.stdout.readline()
        found, used, memory = tree(process.pid), cpu_seconds(process.pid), memory_mib(process.pid)
        own = sum(int(ticks) for ticks in found[process.pid][11:13])
        process.communicate(b"\n")

    assert len(found) == 2
    # 0.12 s each in two children; of the parent alone next to nothing would be told.
    assert 0.2 <= used < 2
    assert own / 100 < used / 2
    assert memory > 1


@contextmanager
def answering(status=200, *, is_chunked=False, closes=False):
    class Answer(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        asked: ClassVar = []

        def do_GET(self):
            self.asked.append(self.path)
            self.send_response(status)
            if is_chunked:
                self.send_header("Transfer-Encoding", "chunked")
            else:
                self.send_header("Content-Length", "4")
            if closes:
                self.send_header("Connection", "close")
            self.end_headers()
            self.wfile.write(b"4\r\nabcd\r\n0\r\n\r\n" if is_chunked else b"abcd")

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server.server_port, Answer.asked
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def requests(count):
    return [f"GET /{number} HTTP/1.1\r\nHost: a\r\n\r\n".encode() for number in range(count)]


@pytest.mark.parametrize("form", [{}, {"is_chunked": True}, {"closes": True}], ids=str)
def test_every_request_is_sent_once_and_every_answer_counted(form):
    with answering(**form) as (port, asked):
        got = sample(Job(port, requests(20), connections=3, seconds=20))

    assert (got.wrong, len(got.latencies)) == ("", 20)
    assert sorted(asked) == sorted(f"/{number}" for number in range(20))


def test_one_request_alone_is_sent_until_the_time_is_up():
    with answering() as (port, asked):
        got = sample(Job(port, requests(1), connections=2, seconds=0.1, is_repeated=True))

    assert len(got.latencies) == len(asked) > 2
    assert got.seconds >= 0.1


def test_a_refusal_is_no_fast_answer():
    with answering(429) as (port, _):
        got = sample(Job(port, requests(5), connections=1, seconds=5))

    assert "429" in got.wrong
    assert not got.latencies
