"""A worker starts whatever its book is like, so that it answers again as soon as the book can be read."""

import falcon.testing

from tests.fixtures.server import free_port
from tradebook.app import create_app
from tradebook.settings import Settings


def test_a_worker_starts_while_its_database_is_away():
    url = f"postgresql://nobody@127.0.0.1:{free_port()}/book"
    app = create_app(Settings(database=url, rate_limit=0, log_requests=False))
    client = falcon.testing.TestClient(app)

    assert client.simulate_get("/healthz").status_code == 200
    assert client.simulate_get("/readyz").status_code == 503


def test_a_worker_starts_while_its_file_is_away(tmp_path):
    app = create_app(Settings(database=f"sqlite:///{tmp_path}/book.db", rate_limit=0, log_requests=False))
    client = falcon.testing.TestClient(app)

    assert client.simulate_get("/healthz").status_code == 200
    assert client.simulate_get("/readyz").status_code == 503
