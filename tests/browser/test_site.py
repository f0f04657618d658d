"""The documentation as a site: every page works in a browser, and none asks another server."""

import functools
import http.server
import threading

import pytest

from tests.browser.test_examples import ROOT
from tests.fixtures.browser import PHONE, Tab, only_when_asked

pytestmark = only_when_asked
SITE = ROOT / "site"


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def site():
    """A server of the built site."""
    if not SITE.exists():
        pytest.skip("the site is not built: make site")
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=SITE))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_every_page_of_the_site_asks_no_other_server(chromium, site):
    tab = Tab(chromium, site, PHONE)
    pages = [f"/{page.parent.relative_to(SITE)}/" for page in SITE.rglob("index.html")]

    wide = [
        path for path in pages if tab.open(path).evaluate("document.documentElement.scrollWidth > innerWidth")
    ]

    assert (tab.complaints, tab.foreign, wide) == ([], [], [])
    assert len(pages) > 30
    tab.close()
