"""The figures of a server: every process counts into shared memory, and one page shows all of it."""

import multiprocessing
import os
import signal
import socket
from pathlib import Path
from time import thread_time
from timeit import repeat

import falcon.testing
import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.fixtures import plain_http
from tests.fixtures.command_line import CommandLine
from tests.fixtures.engines import ENGINES, Sqlite
from tests.fixtures.lengths import length
from tests.fixtures.server import free_port, serving, start_server, wait_until
from tests.reliability.journal import workers_of
from tradebook.app import create_app, templates
from tradebook.cli.listening import address_of
from tradebook.cli.output import FAILED, WRONG_USAGE
from tradebook.resources.api_key_secrets import new_secret
from tradebook.settings import Settings
from tradebook.storage.database import Figures, ReplicaFigures
from tradebook.web import metrics, metrics_page
from tradebook.web.metrics import BUCKETS, Board, Recorder, families_of

LIST, GROUPS = "/v1/sales/customers", "/v1/sales/account-groups"
SECONDS_PER_REQUEST_MAX = 5e-6


class Page:
    """The figures of one moment."""

    def __init__(self, url):
        self.answer = plain_http.get(url, timeout=10)
        assert self.answer.status_code == 200
        self.families = {family.name: family for family in text_string_to_metric_families(self.answer.text)}
        self.samples = {
            (sample.name, *sorted(sample.labels.items())): sample.value
            for family in self.families.values()
            for sample in family.samples
        }

    def value(self, name, **labels):
        return self.samples.get((name, *sorted(labels.items())), 0)


@pytest.fixture(scope="module", params=length(["sqlite"], ENGINES))
def engine(request):
    """Each engine in turn, in the long run: workers count the same way on both."""
    return Sqlite() if request.param == "sqlite" else request.getfixturevalue("postgres")


@pytest.fixture(scope="module")
def metrics_url():
    return f"http://127.0.0.1:{free_port()}/metrics"


@pytest.fixture(scope="module")
def server(tmp_path_factory, engine, metrics_url):
    """A server of two workers that shows its figures."""
    folder = tmp_path_factory.mktemp("metrics")
    port = metrics_url.rpartition(":")[2].partition("/")[0]
    with serving(folder, "--metrics", port, workers=2, database=engine.new(folder)) as running:
        yield running


def counted(url, name, number, **labels):
    """Wait until a figure has this value; what is looked at is written down every second."""
    wait_until(lambda: Page(url).value(name, **labels) == number, f"{name} {labels} of {number}")


def test_requests_of_all_workers_are_counted_by_route_and_status(book, metrics_url):
    before = Page(metrics_url)

    for _ in range(40):
        with plain_http.Client(base_url=book.server.url, headers=book.client.headers) as client:
            assert client.get(LIST).status_code == 200
    assert book.client.get(f"{LIST}/ac_0000000000007").status_code == 404
    assert book.client.get(f"{LIST}/{book.key}").status_code in (400, 404)
    assert book.client.request("BREW", LIST).status_code == 405
    assert plain_http.get(f"{book.server.url}/no/such/{book.key}").status_code == 404
    assert plain_http.get(f"{book.server.url}{LIST}").status_code == 401
    assert book.client.post(GROUPS, json={"name": "A", "type": "type_group"}).status_code == 201

    after = Page(metrics_url)

    def more(name, **labels):
        return after.value(name, **labels) - before.value(name, **labels)

    assert more("tradebook_requests_total", method="GET", route=LIST, status="200") == 40
    assert more("tradebook_request_duration_seconds_count", route=LIST) == 42
    assert more("tradebook_requests_total", method="GET", route=LIST, status="401") == 1
    assert more("tradebook_requests_total", method="other", route=LIST, status="405") == 1
    assert more("tradebook_requests_total", method="GET", route=f"{LIST}/{{id}}", status="404") in (1, 2)
    assert more("tradebook_requests_total", method="GET", route="other", status="404") == 1
    assert more("tradebook_requests_total", method="POST", route=GROUPS, status="201") == 1
    assert more("tradebook_refusals_total", code="invalid_credentials") == 1
    assert more("tradebook_refusals_total", code="resource_not_found") in (2, 3)
    assert book.key not in after.answer.text
    assert book.account not in after.answer.text
    counted(metrics_url, "tradebook_commits_total", before.value("tradebook_commits_total") + 1)


def test_what_can_only_be_looked_at_is_there(book, metrics_url, engine):
    book.get()

    wait_until(lambda: Page(metrics_url).value("tradebook_connections") >= 1, "an open connection")
    page = Page(metrics_url)

    assert page.value("tradebook_ready") == 1
    assert page.value("tradebook_workers") == 2
    memory = [value for (name, *_), value in page.samples.items() if name == "tradebook_worker_memory_bytes"]
    assert len(memory) == 2
    assert all(20e6 < value < 200e6 for value in memory)
    if engine.name == "sqlite":
        assert page.value("tradebook_book_bytes") > 100_000
        assert "tradebook_wal_bytes" in page.families
    else:
        assert page.value("tradebook_database_connections", state="idle") >= 1


def test_a_worker_that_dies_is_counted_and_what_it_counted_stays(book, metrics_url):
    book.get()
    before = Page(metrics_url)
    (victim, *_) = [process for process in workers_of(book.server.process.pid) if _has_a_loop(process)]

    os.kill(victim, signal.SIGKILL)

    starts = before.value("tradebook_worker_starts_total") + 1
    counted(metrics_url, "tradebook_worker_starts_total", starts)
    counted(metrics_url, "tradebook_workers", 2)
    labels = {"method": "GET", "route": LIST, "status": "200"}
    assert Page(metrics_url).value("tradebook_requests_total", **labels) >= before.value(
        "tradebook_requests_total", **labels
    )


def _has_a_loop(process):
    """Tell a worker, which has several threads, from the process of the figures, which has two."""
    return len([*Path(f"/proc/{process}/task").iterdir()]) > 3


def test_only_the_figures_are_served_there(metrics_url, server):
    base = metrics_url.removesuffix("/metrics")

    assert plain_http.get(f"{base}/").status_code == 404
    assert plain_http.get(f"{base}{LIST}").status_code == 404
    assert plain_http.post(metrics_url).status_code == 501
    with pytest.raises(httpx.TransportError):
        plain_http.get(metrics_url.replace("127.0.0.1", _own_address()), timeout=2)


def _own_address():
    """Find an address of this machine that is not its loopback, or one of it that nobody listens on."""
    found = {entry[4][0] for entry in socket.getaddrinfo(socket.gethostname(), None, socket.AF_INET)}
    return next(iter(sorted(found - {"127.0.0.1"})), "127.0.0.2")


def test_a_client_that_says_nothing_keeps_nobody_from_the_page(metrics_url, server):
    port = int(metrics_url.rpartition(":")[2].partition("/")[0])
    with socket.create_connection(("127.0.0.1", port)):
        assert Page(metrics_url).value("tradebook_ready") == 1


@pytest.mark.parametrize("end", length([signal.SIGKILL], [signal.SIGTERM, signal.SIGINT, signal.SIGKILL]))
def test_the_page_ends_with_the_server(tmp_path, end):
    port = free_port()
    server = start_server(tmp_path, "--metrics", f"127.0.0.1:{port}", database=Sqlite().new(tmp_path))
    children = workers_of(server.process.pid)
    try:
        assert Page(f"http://127.0.0.1:{port}/metrics").value("tradebook_workers") == 1
    finally:
        server.process.send_signal(end)
        server.process.wait(20)

    wait_until(lambda: not any(Path(f"/proc/{child}").exists() for child in children), "the end of all")
    assert not [path for path in tmp_path.iterdir() if "metric" in path.name]


def test_a_port_that_is_taken_is_told_before_anything_is_served(tmp_path):
    command = CommandLine(tmp_path, Sqlite().new(tmp_path))
    with socket.create_server(("127.0.0.1", 0)) as other:
        address = f"127.0.0.1:{other.getsockname()[1]}"

        done = command.run_as_process("serve", "--port", str(free_port()), "--metrics", address)

    assert done.returncode == FAILED
    assert done.stderr == f"Error: Can't listen on {address}: Address already in use.\n"


def test_an_address_that_is_none_is_told(tmp_path):
    done = CommandLine(tmp_path, Sqlite().new(tmp_path)).run("serve", "--metrics", "localhost")

    assert done.returncode == WRONG_USAGE
    assert "write HOST:PORT" in done.stderr


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("9464", ("127.0.0.1", 9464)),
        (":9464", ("127.0.0.1", 9464)),
        ("0.0.0.0:9464", ("0.0.0.0", 9464)),
        ("[::1]:9464", ("::1", 9464)),
        ("localhost", None),
        ("localhost:0", None),
        ("localhost:65536", None),
        ("localhost:９", None),
        ("", None),
    ],
)
def test_addresses(text, address):
    if address is None:
        with pytest.raises(ValueError, match="HOST:PORT"):
            address_of(text)
    else:
        assert address_of(text) == address


# Without a server


@pytest.fixture
def board():
    return Board(families_of(templates(), replicas=1), parts=3)


@pytest.fixture
def recorder(board):
    return Recorder(board.layout, board.take())


def figures_of(board):
    shown = metrics_page._Figures(board, {}, ("127.0.0.1", 1))
    return {
        (sample.name, *sorted(sample.labels.items())): sample.value
        for family in shown.collect()
        for sample in family.samples
    }


def test_counting_a_request_costs_next_to_nothing(recorder):
    def once():
        recorder.observe("GET", f"{LIST}/{{id0}}", 200, 0.0123)

    # The processor's time: others may use it too.
    assert min(repeat(once, timer=thread_time, number=2_000, repeat=7)) / 2_000 <= SECONDS_PER_REQUEST_MAX


def test_why_there_was_a_503_is_told_apart(board, recorder, monkeypatch, tmp_path):
    """All have one code, and whoever runs the server has to know whether the database was the reason."""
    monkeypatch.setattr(metrics, "recorder", recorder)
    away = f"sqlite:///{tmp_path}/book.db"
    client = falcon.testing.TestClient(create_app(Settings(database=away, rate_limit=0, log_requests=False)))

    answer = client.simulate_get(LIST, headers={"Authorization": f"Bearer {new_secret('test', 1)}"})
    metrics.shed()

    assert (answer.status_code, answer.json["error"]["code"]) == (503, "service_unavailable")
    shown = figures_of(board)
    assert shown["tradebook_unavailable_total", ("reason", "database")] == 1
    assert shown["tradebook_unavailable_total", ("reason", "load")] == 1
    assert shown["tradebook_refusals_total", ("code", "service_unavailable")] == 2


def test_durations_fall_into_their_buckets(board, recorder):
    for seconds in (0, BUCKETS[0], BUCKETS[0] * 1.01, BUCKETS[-1], 1000):
        recorder.observe("GET", LIST, 200, seconds)

    shown = figures_of(board)
    at = {
        key[1][1]: value
        for key, value in shown.items()
        if key[0] == "tradebook_request_duration_seconds_bucket"
    }
    assert (at[str(BUCKETS[0])], at[str(BUCKETS[1])], at[str(BUCKETS[-1])], at["+Inf"]) == (2, 3, 4, 5)


def test_a_part_is_taken_by_one_process_at_a_time_and_free_when_that_ends(board):
    context = multiprocessing.get_context("fork")
    parent, child = context.Pipe()

    def work():
        child.send(board.take() is not None)
        child.recv()

    processes = [context.Process(target=work) for _ in range(4)]
    for process in processes:
        process.start()
    answers = [parent.recv() for _ in processes]

    assert sorted(answers) == [False, True, True, True]
    assert sum(is_taken for *_, is_taken in board.parts()) == 3

    for process in processes:
        process.kill()
        process.join()
    assert sum(is_taken for *_, is_taken in board.parts()) == 0


def test_what_the_database_has_counted_since_the_last_look_is_added(board, recorder):
    looked = [
        Figures(commits=3, last_commit_ms=2_000, idle=1, in_use=2, replicas=(ReplicaFigures(5, 1, 0, 250),)),
        Figures(commits=4, last_commit_ms=3_000, idle=1, in_use=2, replicas=(ReplicaFigures(5, 2, 1, 500),)),
    ]
    sampling = metrics._Sampling(recorder, lambda: ((7, 8, 6), 9, looked.pop(0)))

    sampling.sample()
    sampling.sample()

    shown = figures_of(board)
    assert shown[("tradebook_commits_total",)] == 4
    assert shown[("tradebook_last_commit_timestamp_seconds",)] == 3
    assert shown[("tradebook_replica_lag_seconds", ("replica", "1"))] == 0.5
    for outcome, number in (("answered", 5), ("behind", 2), ("failed", 1)):
        assert shown[("tradebook_replica_reads_total", ("outcome", outcome), ("replica", "1"))] == number


def test_a_server_that_is_not_there_is_not_ready():
    assert metrics_page._is_ready("127.0.0.1", free_port()) == 0


def test_every_route_has_a_name_of_its_own():
    named = [metrics.route_of(template) for template in dict.fromkeys(templates())]

    assert len(named) > 30
    assert not [name for name in named if "{" in name.replace("{id}", "")]
