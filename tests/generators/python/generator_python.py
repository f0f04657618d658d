"""The client of OpenAPI Generator, python."""

from datetime import UTC, datetime
from uuid import uuid4

from generator_python_book import (
    AddressInput,
    ApiClient,
    Configuration,
    CustomerCreate,
    CustomerInclude,
    CustomerMerge,
    CustomersApi,
    CustomerStatus,
    CustomerUpdate,
)
from generator_python_book.exceptions import NotFoundException
from story import IDS, KEY, MISSING, URL, cursor_in, whole_book


def is_missing(customer: str) -> bool:
    """Tell whether a customer is refused as one who isn't there."""
    try:
        api.get_customer(customer)
    except NotFoundException as error:
        return "resource_not_found" in error.body
    return False


api = CustomersApi(ApiClient(Configuration(host=URL, access_token=KEY)))
shown = [CustomerInclude.BILL_TO_ADDRESS, CustomerInclude.PRICE_GROUPS]
page = api.list_customers(
    limit=3,
    status_codes=[CustomerStatus.NORMAL],
    include=shown,
    # It writes the offset without a colon.
    start_date=datetime(2019, 1, 1, tzinfo=UTC),
)
assert len(page.data) == 3
assert all(each.bill_to_address.name and each.created_at.year >= 2019 for each in page.data)

seen, cursor = [], None
while True:
    walked = api.list_customers(limit=7, cursor=cursor)
    seen += [each.id for each in walked.data]
    cursor = cursor_in(walked.page_info.next_page_url)
    if cursor is None:
        break
whole_book(seen)

address = AddressInput(name="Pier Café", country="US", locality="Portland")
body = CustomerCreate(name="Generator", bill_to_address=address, ship_to_address=address, **IDS)
created = api.create_customer(body, idempotency_key=str(uuid4()))
other = api.create_customer(body)

assert api.update_customer(created.id, CustomerUpdate(note="Call first.")).note == "Call first."
assert api.update_customer(created.id, CustomerUpdate(note=None)).note is None

merged = api.merge_customer(created.id, CustomerMerge(source_customer_ids=[other.id]))
assert merged.actual_instance.id == created.id

assert is_missing(MISSING)
assert api.delete_customer(created.id).deleted
assert is_missing(created.id)
