"""The client of openapi-python-client."""

from uuid import uuid4

from openapi_python_client_book import AuthenticatedClient
from openapi_python_client_book.api.customers import (
    create_customer,
    delete_customer,
    get_customer,
    list_customers,
    merge_customer,
    update_customer,
)
from openapi_python_client_book.models import (
    AddressInput,
    Customer,
    CustomerCreate,
    CustomerInclude,
    CustomerList,
    CustomerMerge,
    CustomerStatus,
    CustomerUpdate,
    DeletedCustomer,
    ErrorEnvelope,
    MergedCustomer,
)
from openapi_python_client_book.types import UNSET
from story import IDS, KEY, MISSING, URL, cursor_in, whole_book

client = AuthenticatedClient(URL, KEY, raise_on_unexpected_status=True)
shown = [CustomerInclude.BILL_TO_ADDRESS, CustomerInclude.PRICE_GROUPS]
page = list_customers.sync(client=client, limit=3, status_codes=[CustomerStatus.NORMAL], include=shown)
assert isinstance(page, CustomerList)
assert len(page.data) == 3
assert all(each.bill_to_address and each.bill_to_address.name for each in page.data)
assert all(each.created_at.year >= 2019 for each in page.data)

seen: list[str] = []
cursor: str | None = None
while True:
    walked = list_customers.sync(client=client, limit=7, cursor=cursor or UNSET)
    assert isinstance(walked, CustomerList)
    seen += [each.id for each in walked.data]
    cursor = cursor_in(walked.page_info.next_page_url)
    if cursor is None:
        break
whole_book(seen)

address = AddressInput(name="Pier Café", country="US", locality="Portland")
body = CustomerCreate(
    name="Python",
    bill_to_address=address,
    ship_to_address=address,
    customer_type_group_id=IDS["customer_type_group_id"],
    default_carrier_id=IDS["default_carrier_id"],
    default_payment_term_id=IDS["default_payment_term_id"],
    default_shipping_term_id=IDS["default_shipping_term_id"],
)
created = create_customer.sync(client=client, body=body, idempotency_key=str(uuid4()))
other = create_customer.sync(client=client, body=body)
assert isinstance(created, Customer)
assert isinstance(other, Customer)

changed = update_customer.sync(created.id, client=client, body=CustomerUpdate(note="Call first."))
assert isinstance(changed, Customer)
assert changed.note == "Call first."
cleared = update_customer.sync(created.id, client=client, body=CustomerUpdate(note=None))
assert isinstance(cleared, Customer)
assert cleared.note is None

merged = merge_customer.sync(created.id, client=client, body=CustomerMerge([other.id]))
assert isinstance(merged, MergedCustomer)

missing = get_customer.sync(MISSING, client=client)
assert isinstance(missing, ErrorEnvelope)
assert missing.error.code == "resource_not_found"

gone = delete_customer.sync(created.id, client=client)
assert isinstance(gone, DeletedCustomer)
assert gone.deleted
assert get_customer.sync_detailed(created.id, client=client).status_code == 404
