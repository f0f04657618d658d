"""The list of fixture modules; every fixture lives in one of them."""

pytest_plugins = [
    "tests.fixtures.server",
    "tests.fixtures.engines",
    "tests.fixtures.book",
    "tests.fixtures.ledgers",
    "tests.fixtures.maps",
    "tests.fixtures.counting",
    "tests.fixtures.figures",
    "tests.fixtures.load",
    "tests.contract.books",
    "tests.fixtures.garbage",
    "tests.fixtures.order",
    "tests.fixtures.examples",
    "tests.fixtures.refusals",
    "tests.client.forms",
    "tests.fixtures.agents",
    "tests.fixtures.browser",
    "tests.transfer.steps",
]
