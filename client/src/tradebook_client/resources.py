"""The routes of the API, by resource.

Made from the declarations of the server: run `make docs` to make it again.
"""

from collections.abc import Iterator, Sequence
from os import PathLike
from typing import Self, Unpack

from tradebook_client.bodies import (
    AccountGroupCreate,
    AccountGroupsFilters,
    AccountGroupUpdate,
    AccountStatusesFilters,
    AccountUserCreate,
    AccountUsersFilters,
    AccountUserUpdate,
    AddressCreate,
    AddressesCustomersFilters,
    AddressesFilters,
    AddressUpdate,
    ApiKeyCreate,
    ApiKeyRotate,
    ApiKeysFilters,
    CarrierCreate,
    CarriersFilters,
    CarrierUpdate,
    CustomerCreate,
    CustomerMerge,
    CustomerPut,
    CustomersChildAccountsFilters,
    CustomersDeleteOptions,
    CustomersFilters,
    CustomersPriceGroupsFilters,
    CustomerUpdate,
    ImportsApplyOptions,
    ImportsCreateOptions,
    ImportsFilters,
    ImportsRowsFilters,
    PaymentTermCreate,
    PaymentTermsFilters,
    PaymentTermUpdate,
    PrioritiesFilters,
    ServiceLevelCreate,
    ServiceLevelsFilters,
    ServiceLevelUpdate,
    ShippingTermCreate,
    ShippingTermsFilters,
    ShippingTermsFreeShippingServiceLevelsFilters,
    ShippingTermUpdate,
    UnitsFilters,
)
from tradebook_client.calls import RETRIES, TIMEOUT_SECONDS, Calls
from tradebook_client.created_keys import CreatedApiKey
from tradebook_client.errors import NotFound
from tradebook_client.exports import Form, Progress
from tradebook_client.objects import (
    AccountGroup,
    AccountStatus,
    AccountUser,
    Address,
    ApiKey,
    Carrier,
    Customer,
    CustomerMergePreview,
    DeletedCustomer,
    Import,
    ImportProgress,
    ImportRow,
    ImportSummary,
    MergedCustomer,
    PaymentTerm,
    Priority,
    ServiceLevel,
    ShippingTerm,
    Unit,
)
from tradebook_client.requests import request
from tradebook_client.steps import export, settled, uploaded
from tradebook_client.uploads import File, FileFormat, map_of, sent
from tradebook_client.words import (
    AccountUserInclude,
    ApiKeyInclude,
    CarrierInclude,
    CustomerInclude,
    Include,
    Only,
    Outcome,
    ShippingTermInclude,
    State,
)


class Resource:
    """What every resource has: the book that it belongs to."""

    def __init__(self, book: "Tradebook") -> None:
        self._book = book


class Customers(Resource):
    """The routes of customers."""

    def list(
        self, *, include: Sequence[CustomerInclude] = (), **filters: Unpack[CustomersFilters]
    ) -> Iterator[Customer]:
        """List customers, to the end of all pages."""
        return self._book.walk(
            Customer,
            request("GET", "/v1/sales/customers", include=include, filters=filters, known=CustomersFilters),
        )

    def create(
        self, *, include: Sequence[CustomerInclude] = (), **fields: Unpack[CustomerCreate]
    ) -> Customer:
        """Create a customer."""
        return self._book.one(
            Customer,
            request("POST", "/v1/sales/customers", include=include, fields=fields, known=CustomerCreate),
        )

    def get(self, id: str, *, include: Sequence[CustomerInclude] = ()) -> Customer:
        """Get a customer."""
        return self._book.one(Customer, request("GET", "/v1/sales/customers/{id}", id, include=include))

    def update(
        self, id: str, *, include: Sequence[CustomerInclude] = (), **fields: Unpack[CustomerUpdate]
    ) -> Customer:
        """Change a customer; absent fields stay as they are."""
        return self._book.one(
            Customer,
            request(
                "PATCH", "/v1/sales/customers/{id}", id, include=include, fields=fields, known=CustomerUpdate
            ),
        )

    def delete(self, id: str, **options: Unpack[CustomersDeleteOptions]) -> DeletedCustomer:
        """Delete a customer."""
        return self._book.one(
            DeletedCustomer,
            request("DELETE", "/v1/sales/customers/{id}", id, filters=options, known=CustomersDeleteOptions),
        )

    def get_by_number(self, number: str, *, include: Sequence[CustomerInclude] = ()) -> Customer:
        """Get a customer by its number."""
        return self._book.one(
            Customer, request("GET", "/v1/sales/customers/by-number/{number}", number, include=include)
        )

    def put(
        self, number: str, /, *, include: Sequence[CustomerInclude] = (), **fields: Unpack[CustomerPut]
    ) -> Customer:
        """Create or change the customer with a number; absent fields stay as they are."""
        return self._book.one(
            Customer,
            request(
                "PUT",
                "/v1/sales/customers/by-number/{number}",
                number,
                include=include,
                fields=fields,
                known=CustomerPut,
            ),
        )

    def get_by_external_id(self, name: str, id: str, *, include: Sequence[CustomerInclude] = ()) -> Customer:
        """Get a customer by its id in another system."""
        return self._book.one(
            Customer,
            request("GET", "/v1/sales/customers/by-external-id/{name}/{id}", name, id, include=include),
        )

    def put_by_external_id(
        self, name: str, id: str, /, *, include: Sequence[CustomerInclude] = (), **fields: Unpack[CustomerPut]
    ) -> Customer:
        """Create or change the customer with an id in another system; absent fields stay."""
        return self._book.one(
            Customer,
            request(
                "PUT",
                "/v1/sales/customers/by-external-id/{name}/{id}",
                name,
                id,
                include=include,
                fields=fields,
                known=CustomerPut,
            ),
        )

    def merge(
        self, id: str, *, include: Sequence[CustomerInclude] = (), **fields: Unpack[CustomerMerge]
    ) -> MergedCustomer:
        """Merge customers into one."""
        return self._book.one(
            MergedCustomer,
            request(
                "POST",
                "/v1/sales/customers/{id}/actions/merge",
                id,
                include=include,
                fields=fields,
                known=CustomerMerge,
            ),
        )

    def preview_merge(self, id: str, **fields: Unpack[CustomerMerge]) -> CustomerMergePreview:
        """Merge customers into one without doing it."""
        return self._book.one(
            CustomerMergePreview,
            request(
                "POST",
                "/v1/sales/customers/{id}/actions/merge",
                id,
                fields=fields,
                known=CustomerMerge,
                constant={"dry_run": True},
            ),
        )

    def child_accounts(self, id: str, **filters: Unpack[CustomersChildAccountsFilters]) -> Iterator[Customer]:
        """List a customer's child accounts, to the end of all pages."""
        return self._book.walk(
            Customer,
            request(
                "GET",
                "/v1/sales/customers/{id}/child_accounts",
                id,
                filters=filters,
                known=CustomersChildAccountsFilters,
            ),
        )

    def price_groups(self, id: str, **filters: Unpack[CustomersPriceGroupsFilters]) -> Iterator[AccountGroup]:
        """List a customer's price groups, to the end of all pages."""
        return self._book.walk(
            AccountGroup,
            request(
                "GET",
                "/v1/sales/customers/{id}/price_groups",
                id,
                filters=filters,
                known=CustomersPriceGroupsFilters,
            ),
        )

    def find(self, *, number: str, include: Sequence[CustomerInclude] = ()) -> Customer | None:
        """Find the customer with a number, whatever its case; None if there is none."""
        try:
            return self.get_by_number(number, include=include)
        except NotFound as missing:
            if missing.param != "number":
                raise
            return None

    def export(
        self,
        path: str | PathLike[str],
        *,
        format: Form | None = None,
        include: Sequence[CustomerInclude] = (),
        progress: Progress | None = None,
        **filters: Unpack[CustomersFilters],
    ) -> int:
        """Write all customers that match to a file, from one snapshot; return how many they are.

        `ndjson` is a line of JSON for each, `csv` the columns of an import. Default: by the path's ending.
        The file is there when it is whole; until then it is PATH.part. `progress` is told how many are
        written so far. NoAnswer if the answer is cut.
        """
        return self._book.run(export(path, format, filters, include, progress))


class AccountGroups(Resource):
    """The routes of account groups."""

    def list(
        self, *, include: Sequence[Include] = (), **filters: Unpack[AccountGroupsFilters]
    ) -> Iterator[AccountGroup]:
        """List account groups, to the end of all pages."""
        return self._book.walk(
            AccountGroup,
            request(
                "GET",
                "/v1/sales/account-groups",
                include=include,
                filters=filters,
                known=AccountGroupsFilters,
            ),
        )

    def create(
        self, *, include: Sequence[Include] = (), **fields: Unpack[AccountGroupCreate]
    ) -> AccountGroup:
        """Create one account group."""
        return self._book.one(
            AccountGroup,
            request(
                "POST", "/v1/sales/account-groups", include=include, fields=fields, known=AccountGroupCreate
            ),
        )

    def get(self, id: str, *, include: Sequence[Include] = ()) -> AccountGroup:
        """Get one account group."""
        return self._book.one(
            AccountGroup, request("GET", "/v1/sales/account-groups/{id}", id, include=include)
        )

    def update(
        self, id: str, *, include: Sequence[Include] = (), **fields: Unpack[AccountGroupUpdate]
    ) -> AccountGroup:
        """Change one account group; absent fields stay as they are."""
        return self._book.one(
            AccountGroup,
            request(
                "PATCH",
                "/v1/sales/account-groups/{id}",
                id,
                include=include,
                fields=fields,
                known=AccountGroupUpdate,
            ),
        )

    def delete(self, id: str) -> None:
        """Delete one account group."""
        self._book.do(request("DELETE", "/v1/sales/account-groups/{id}", id))


class Addresses(Resource):
    """The routes of addresses."""

    def list(
        self, *, include: Sequence[Include] = (), **filters: Unpack[AddressesFilters]
    ) -> Iterator[Address]:
        """List addresses, to the end of all pages."""
        return self._book.walk(
            Address,
            request("GET", "/v1/sales/addresses", include=include, filters=filters, known=AddressesFilters),
        )

    def create(self, *, include: Sequence[Include] = (), **fields: Unpack[AddressCreate]) -> Address:
        """Create one address."""
        return self._book.one(
            Address,
            request("POST", "/v1/sales/addresses", include=include, fields=fields, known=AddressCreate),
        )

    def get(self, id: str, *, include: Sequence[Include] = ()) -> Address:
        """Get one address."""
        return self._book.one(Address, request("GET", "/v1/sales/addresses/{id}", id, include=include))

    def update(self, id: str, *, include: Sequence[Include] = (), **fields: Unpack[AddressUpdate]) -> Address:
        """Change one address; absent fields stay as they are."""
        return self._book.one(
            Address,
            request(
                "PATCH", "/v1/sales/addresses/{id}", id, include=include, fields=fields, known=AddressUpdate
            ),
        )

    def delete(self, id: str) -> None:
        """Delete one address."""
        self._book.do(request("DELETE", "/v1/sales/addresses/{id}", id))

    def customers(self, id: str, **filters: Unpack[AddressesCustomersFilters]) -> Iterator[Customer]:
        """List the customers that use an address, to the end of all pages."""
        return self._book.walk(
            Customer,
            request(
                "GET",
                "/v1/sales/addresses/{id}/customers",
                id,
                filters=filters,
                known=AddressesCustomersFilters,
            ),
        )

    def put_customer(self, id: str, customer_id: str) -> Customer:
        """Attach an address to a customer, and leave it attached to the others."""
        return self._book.one(
            Customer, request("PUT", "/v1/sales/addresses/{id}/customers/{customer_id}", id, customer_id)
        )

    def delete_customer(self, id: str, customer_id: str) -> None:
        """Detach an address from a customer; whom it bills or ships to it goes on serving."""
        self._book.do(request("DELETE", "/v1/sales/addresses/{id}/customers/{customer_id}", id, customer_id))


class Priorities(Resource):
    """The routes of priorities."""

    def list(
        self, *, include: Sequence[Include] = (), **filters: Unpack[PrioritiesFilters]
    ) -> Iterator[Priority]:
        """List priorities, to the end of all pages."""
        return self._book.walk(
            Priority,
            request("GET", "/v1/sales/priorities", include=include, filters=filters, known=PrioritiesFilters),
        )

    def get(self, id: str, *, include: Sequence[Include] = ()) -> Priority:
        """Get one priority."""
        return self._book.one(Priority, request("GET", "/v1/sales/priorities/{id}", id, include=include))


class AccountStatuses(Resource):
    """The routes of account statuses."""

    def list(
        self, *, include: Sequence[Include] = (), **filters: Unpack[AccountStatusesFilters]
    ) -> Iterator[AccountStatus]:
        """List account statuses, to the end of all pages."""
        return self._book.walk(
            AccountStatus,
            request(
                "GET",
                "/v1/sales/account-statuses",
                include=include,
                filters=filters,
                known=AccountStatusesFilters,
            ),
        )

    def get(self, id: str, *, include: Sequence[Include] = ()) -> AccountStatus:
        """Get one account status."""
        return self._book.one(
            AccountStatus, request("GET", "/v1/sales/account-statuses/{id}", id, include=include)
        )


class Carriers(Resource):
    """The routes of carriers."""

    def list(
        self, *, include: Sequence[CarrierInclude] = (), **filters: Unpack[CarriersFilters]
    ) -> Iterator[Carrier]:
        """List carriers, to the end of all pages."""
        return self._book.walk(
            Carrier,
            request(
                "GET", "/v1/operations/carriers", include=include, filters=filters, known=CarriersFilters
            ),
        )

    def create(self, *, include: Sequence[CarrierInclude] = (), **fields: Unpack[CarrierCreate]) -> Carrier:
        """Create one carrier."""
        return self._book.one(
            Carrier,
            request("POST", "/v1/operations/carriers", include=include, fields=fields, known=CarrierCreate),
        )

    def get(self, id: str, *, include: Sequence[CarrierInclude] = ()) -> Carrier:
        """Get one carrier."""
        return self._book.one(Carrier, request("GET", "/v1/operations/carriers/{id}", id, include=include))

    def update(
        self, id: str, *, include: Sequence[CarrierInclude] = (), **fields: Unpack[CarrierUpdate]
    ) -> Carrier:
        """Change one carrier; absent fields stay as they are."""
        return self._book.one(
            Carrier,
            request(
                "PATCH",
                "/v1/operations/carriers/{id}",
                id,
                include=include,
                fields=fields,
                known=CarrierUpdate,
            ),
        )

    def delete(self, id: str) -> None:
        """Delete one carrier."""
        self._book.do(request("DELETE", "/v1/operations/carriers/{id}", id))


class ServiceLevels(Resource):
    """The routes of service levels."""

    def list(
        self, carrier_id: str, *, include: Sequence[Include] = (), **filters: Unpack[ServiceLevelsFilters]
    ) -> Iterator[ServiceLevel]:
        """List a carrier's service levels, to the end of all pages."""
        return self._book.walk(
            ServiceLevel,
            request(
                "GET",
                "/v1/operations/carriers/{carrier_id}/service-levels",
                carrier_id,
                include=include,
                filters=filters,
                known=ServiceLevelsFilters,
            ),
        )

    def create(
        self, carrier_id: str, *, include: Sequence[Include] = (), **fields: Unpack[ServiceLevelCreate]
    ) -> ServiceLevel:
        """Create one service level of a carrier."""
        return self._book.one(
            ServiceLevel,
            request(
                "POST",
                "/v1/operations/carriers/{carrier_id}/service-levels",
                carrier_id,
                include=include,
                fields=fields,
                known=ServiceLevelCreate,
            ),
        )

    def get(self, carrier_id: str, id: str, *, include: Sequence[Include] = ()) -> ServiceLevel:
        """Get one service level of a carrier."""
        return self._book.one(
            ServiceLevel,
            request(
                "GET",
                "/v1/operations/carriers/{carrier_id}/service-levels/{id}",
                carrier_id,
                id,
                include=include,
            ),
        )

    def update(
        self,
        carrier_id: str,
        id: str,
        *,
        include: Sequence[Include] = (),
        **fields: Unpack[ServiceLevelUpdate],
    ) -> ServiceLevel:
        """Change one service level of a carrier; absent fields stay as they are."""
        return self._book.one(
            ServiceLevel,
            request(
                "PATCH",
                "/v1/operations/carriers/{carrier_id}/service-levels/{id}",
                carrier_id,
                id,
                include=include,
                fields=fields,
                known=ServiceLevelUpdate,
            ),
        )

    def delete(self, carrier_id: str, id: str) -> None:
        """Delete one service level of a carrier."""
        self._book.do(
            request("DELETE", "/v1/operations/carriers/{carrier_id}/service-levels/{id}", carrier_id, id)
        )


class ShippingTerms(Resource):
    """The routes of shipping terms."""

    def list(
        self, *, include: Sequence[ShippingTermInclude] = (), **filters: Unpack[ShippingTermsFilters]
    ) -> Iterator[ShippingTerm]:
        """List shipping terms, to the end of all pages."""
        return self._book.walk(
            ShippingTerm,
            request(
                "GET",
                "/v1/operations/shipping-terms",
                include=include,
                filters=filters,
                known=ShippingTermsFilters,
            ),
        )

    def create(
        self, *, include: Sequence[ShippingTermInclude] = (), **fields: Unpack[ShippingTermCreate]
    ) -> ShippingTerm:
        """Create one shipping term."""
        return self._book.one(
            ShippingTerm,
            request(
                "POST",
                "/v1/operations/shipping-terms",
                include=include,
                fields=fields,
                known=ShippingTermCreate,
            ),
        )

    def get(self, id: str, *, include: Sequence[ShippingTermInclude] = ()) -> ShippingTerm:
        """Get one shipping term."""
        return self._book.one(
            ShippingTerm, request("GET", "/v1/operations/shipping-terms/{id}", id, include=include)
        )

    def update(
        self, id: str, *, include: Sequence[ShippingTermInclude] = (), **fields: Unpack[ShippingTermUpdate]
    ) -> ShippingTerm:
        """Change one shipping term; absent fields stay as they are."""
        return self._book.one(
            ShippingTerm,
            request(
                "PATCH",
                "/v1/operations/shipping-terms/{id}",
                id,
                include=include,
                fields=fields,
                known=ShippingTermUpdate,
            ),
        )

    def delete(self, id: str) -> None:
        """Delete one shipping term."""
        self._book.do(request("DELETE", "/v1/operations/shipping-terms/{id}", id))

    def free_shipping_service_levels(
        self, id: str, **filters: Unpack[ShippingTermsFreeShippingServiceLevelsFilters]
    ) -> Iterator[ServiceLevel]:
        """List the service levels that are free under a shipping term, to the end of all pages."""
        return self._book.walk(
            ServiceLevel,
            request(
                "GET",
                "/v1/operations/shipping-terms/{id}/free_shipping_service_levels",
                id,
                filters=filters,
                known=ShippingTermsFreeShippingServiceLevelsFilters,
            ),
        )


class PaymentTerms(Resource):
    """The routes of payment terms."""

    def list(
        self, *, include: Sequence[Include] = (), **filters: Unpack[PaymentTermsFilters]
    ) -> Iterator[PaymentTerm]:
        """List payment terms, to the end of all pages."""
        return self._book.walk(
            PaymentTerm,
            request(
                "GET",
                "/v1/finance/payment-terms",
                include=include,
                filters=filters,
                known=PaymentTermsFilters,
            ),
        )

    def create(self, *, include: Sequence[Include] = (), **fields: Unpack[PaymentTermCreate]) -> PaymentTerm:
        """Create one payment term."""
        return self._book.one(
            PaymentTerm,
            request(
                "POST", "/v1/finance/payment-terms", include=include, fields=fields, known=PaymentTermCreate
            ),
        )

    def get(self, id: str, *, include: Sequence[Include] = ()) -> PaymentTerm:
        """Get one payment term."""
        return self._book.one(
            PaymentTerm, request("GET", "/v1/finance/payment-terms/{id}", id, include=include)
        )

    def update(
        self, id: str, *, include: Sequence[Include] = (), **fields: Unpack[PaymentTermUpdate]
    ) -> PaymentTerm:
        """Change one payment term; absent fields stay as they are."""
        return self._book.one(
            PaymentTerm,
            request(
                "PATCH",
                "/v1/finance/payment-terms/{id}",
                id,
                include=include,
                fields=fields,
                known=PaymentTermUpdate,
            ),
        )

    def delete(self, id: str) -> None:
        """Delete one payment term."""
        self._book.do(request("DELETE", "/v1/finance/payment-terms/{id}", id))


class AccountUsers(Resource):
    """The routes of account users."""

    def list(
        self, *, include: Sequence[AccountUserInclude] = (), **filters: Unpack[AccountUsersFilters]
    ) -> Iterator[AccountUser]:
        """List account users, to the end of all pages."""
        return self._book.walk(
            AccountUser,
            request(
                "GET",
                "/v1/identity/account-users",
                include=include,
                filters=filters,
                known=AccountUsersFilters,
            ),
        )

    def create(
        self, *, include: Sequence[AccountUserInclude] = (), **fields: Unpack[AccountUserCreate]
    ) -> AccountUser:
        """Create one account user."""
        return self._book.one(
            AccountUser,
            request(
                "POST", "/v1/identity/account-users", include=include, fields=fields, known=AccountUserCreate
            ),
        )

    def get(self, id: str, *, include: Sequence[AccountUserInclude] = ()) -> AccountUser:
        """Get one account user."""
        return self._book.one(
            AccountUser, request("GET", "/v1/identity/account-users/{id}", id, include=include)
        )

    def update(
        self, id: str, *, include: Sequence[AccountUserInclude] = (), **fields: Unpack[AccountUserUpdate]
    ) -> AccountUser:
        """Change one account user; absent fields stay as they are."""
        return self._book.one(
            AccountUser,
            request(
                "PATCH",
                "/v1/identity/account-users/{id}",
                id,
                include=include,
                fields=fields,
                known=AccountUserUpdate,
            ),
        )

    def activate(self, id: str, *, include: Sequence[AccountUserInclude] = ()) -> AccountUser:
        """Activate one account user."""
        return self._book.one(
            AccountUser,
            request("PUT", "/v1/identity/account-users/{id}/actions/activate", id, include=include),
        )

    def disable(self, id: str, *, include: Sequence[AccountUserInclude] = ()) -> AccountUser:
        """Disable one account user."""
        return self._book.one(
            AccountUser,
            request("PUT", "/v1/identity/account-users/{id}/actions/disable", id, include=include),
        )

    def remove(self, id: str, *, include: Sequence[AccountUserInclude] = ()) -> AccountUser:
        """Remove one account user."""
        return self._book.one(
            AccountUser, request("PUT", "/v1/identity/account-users/{id}/actions/remove", id, include=include)
        )

    def delete(self, id: str) -> None:
        """Remove one account user, as `remove` does: it can still be read, and may come back."""
        self.remove(id)


class ApiKeys(Resource):
    """The routes of api keys."""

    def list(
        self, *, include: Sequence[ApiKeyInclude] = (), **filters: Unpack[ApiKeysFilters]
    ) -> Iterator[ApiKey]:
        """List API keys, to the end of all pages."""
        return self._book.walk(
            ApiKey,
            request("GET", "/v1/auth/api-keys", include=include, filters=filters, known=ApiKeysFilters),
        )

    def create(self, **fields: Unpack[ApiKeyCreate]) -> CreatedApiKey:
        """Create an API key."""
        return self._book.one(
            CreatedApiKey, request("POST", "/v1/auth/api-keys", fields=fields, known=ApiKeyCreate)
        )

    def get(self, id: str, *, include: Sequence[ApiKeyInclude] = ()) -> ApiKey:
        """Get one API key."""
        return self._book.one(ApiKey, request("GET", "/v1/auth/api-keys/{id}", id, include=include))

    def delete(self, id: str) -> None:
        """Delete one API key."""
        self._book.do(request("DELETE", "/v1/auth/api-keys/{id}", id))

    def rotate(self, id: str, **fields: Unpack[ApiKeyRotate]) -> CreatedApiKey:
        """Replace an API key by a new one; the old one is revoked after its grace."""
        return self._book.one(
            CreatedApiKey,
            request("POST", "/v1/auth/api-keys/{id}/actions/rotate", id, fields=fields, known=ApiKeyRotate),
        )


class Units(Resource):
    """The routes of units."""

    def list(self, *, include: Sequence[Include] = (), **filters: Unpack[UnitsFilters]) -> Iterator[Unit]:
        """List units, to the end of all pages."""
        return self._book.walk(
            Unit, request("GET", "/v1/catalog/units", include=include, filters=filters, known=UnitsFilters)
        )

    def get(self, id: str, *, include: Sequence[Include] = ()) -> Unit:
        """Get one unit."""
        return self._book.one(Unit, request("GET", "/v1/catalog/units/{id}", id, include=include))


class Imports(Resource):
    """The routes of imports."""

    def list(self, **filters: Unpack[ImportsFilters]) -> Iterator[Import]:
        """List imports, to the end of all pages."""
        return self._book.walk(
            Import, request("GET", "/v1/core/imports", filters=filters, known=ImportsFilters)
        )

    def get(self, id: str) -> Import:
        """Get an import."""
        return self._book.one(Import, request("GET", "/v1/core/imports/{id}", id))

    def rows(self, id: str, **filters: Unpack[ImportsRowsFilters]) -> Iterator[ImportRow]:
        """List what the rows of a planned import do, to the end of all pages."""
        return self._book.walk(
            ImportRow,
            request("GET", "/v1/core/imports/{id}/rows", id, filters=filters, known=ImportsRowsFilters),
        )

    def apply(self, id: str, **options: Unpack[ImportsApplyOptions]) -> Import:
        """Apply a planned import."""
        return self._book.one(
            Import,
            request(
                "POST", "/v1/core/imports/{id}/actions/apply", id, filters=options, known=ImportsApplyOptions
            ),
        )

    def discard(self, id: str) -> Import:
        """Discard an import that is not applied."""
        return self._book.one(Import, request("POST", "/v1/core/imports/{id}/actions/discard", id))

    def create(
        self,
        file: File,
        *,
        format: FileFormat | None = None,
        file_name: str | None = None,
        map: str | PathLike[str] | bytes | None = None,
        encoding: str | None = None,
        match: str | Sequence[str] | None = None,
        only: Only | None = None,
        keep_empty: bool | None = None,
        sheet: str | None = None,
    ) -> "StartedImport":
        """Upload a file of customers, which is read as it is sent; the server plans what it would do.

        `file` is a path, bytes, or a file that is open for bytes. Default of `format`: by the file's ending.
        `map` is the name of a map that the server has, or the path or the text of a TOML file.
        """
        name, text = map_of(map)
        by = match if match is None or isinstance(match, str) else ",".join(match)
        asked = request(
            "POST",
            "/v1/core/imports",
            filters={
                "encoding": encoding,
                "match": by,
                "only": only,
                "keep_empty": keep_empty,
                "sheet": sheet,
                "map": name,
            },
            known=ImportsCreateOptions,
        )
        body = sent(file, format, file_name, text)
        return StartedImport(self, self._book.run(uploaded(Import, asked, body)))

    def wait(self, id: str, *, timeout: float | None = None) -> Import:
        """Ask again, with pauses, until an import is neither planned nor applied any more.

        TimeoutError if that takes longer than `timeout` seconds.
        """
        return self._book.run(settled(Import, request("GET", "/v1/core/imports/{id}", id), timeout))


class StartedImport:
    """An import that this program has begun: what the server has told of it last, and what to do with it."""

    def __init__(self, imports: Imports, told: Import) -> None:
        self._imports, self.told = imports, told

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.told.id!r}, {self.told.state!r})"

    @property
    def id(self) -> str:
        """What it is known by."""
        return self.told.id

    @property
    def state(self) -> State:
        """How far it was when the server told of it last."""
        return self.told.state

    @property
    def progress(self) -> ImportProgress:
        """How many of its rows are looked at or written, when the server told of it last."""
        return self.told.progress

    @property
    def summary(self) -> ImportSummary | None:
        """What it would do, or did; None until it is planned."""
        return self.told.summary

    @property
    def error(self) -> str | None:
        """Why it has failed; None where it has not."""
        return self.told.error

    def wait(self, *, timeout: float | None = None) -> Self:
        """Wait until it is planned, applied, failed or discarded: see `state`."""
        self.told = self._imports.wait(self.id, timeout=timeout)
        return self

    def apply(self, *, rejects: bool = False, yes: bool = False) -> Self:
        """Apply the plan: without the rows that have problems if `rejects`, in spite of warnings if `yes`."""
        self.told = self._imports.apply(self.id, rejects=rejects, yes=yes)
        return self

    def discard(self) -> Self:
        """Give it up."""
        self.told = self._imports.discard(self.id)
        return self

    def rows(self, *, outcome: Sequence[Outcome] | None = None) -> Iterator[ImportRow]:
        """List what each row does, or only those with one of some outcomes."""
        filters: ImportsRowsFilters = {} if outcome is None else {"outcome": outcome}
        return self._imports.rows(self.id, **filters)


class Tradebook(Calls):
    """A book on a server.

    Default of `base_url` is TRADEBOOK_URL of the environment, of `api_key` TRADEBOOK_API_KEY. A request is
    sent again up to `retries` times, where that can help.
    """

    def __init__(
        self,
        base_url: str | None = None,
        api_key: str | None = None,
        *,
        timeout: float = TIMEOUT_SECONDS,
        retries: int = RETRIES,
    ) -> None:
        super().__init__(base_url, api_key, timeout=timeout, retries=retries)
        self.customers = Customers(self)
        self.account_groups = AccountGroups(self)
        self.addresses = Addresses(self)
        self.priorities = Priorities(self)
        self.account_statuses = AccountStatuses(self)
        self.carriers = Carriers(self)
        self.service_levels = ServiceLevels(self)
        self.shipping_terms = ShippingTerms(self)
        self.payment_terms = PaymentTerms(self)
        self.account_users = AccountUsers(self)
        self.api_keys = ApiKeys(self)
        self.units = Units(self)
        self.imports = Imports(self)
