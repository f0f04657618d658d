"""What every program here works with: the same story of two customers, on a demo book."""

import os
from urllib.parse import parse_qs, urlsplit

URL = os.environ["TRADEBOOK_URL"]
KEY = os.environ["TRADEBOOK_API_KEY"]
MISSING = "ac_0000000000000"
IDS = {
    "customer_type_group_id": "acgr_2t17adc000000",
    "default_carrier_id": "cr_36vpvam0000z8",
    "default_payment_term_id": "pytm_36vpvam0002xr",
    "default_shipping_term_id": "shtm_36vpvam0003x0",
}


def cursor_in(url: str | None) -> str | None:
    """Return the cursor inside the URL of a page."""
    return None if url is None else parse_qs(urlsplit(url).query)["cursor"][0]


def whole_book(seen: list[str]) -> None:
    """Check that a walk has seen every customer once."""
    assert len(seen) >= 50, len(seen)
    assert len(set(seen)) == len(seen)
