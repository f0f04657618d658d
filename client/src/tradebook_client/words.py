"""The enumerations of the API.

Made from the declarations of the server: run `make docs` to make it again.
"""

from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    AccountGroupType = Literal["pricing_group", "type_group"]
    AccountUserInclude = Literal["user", "role", "department", "owner", "owner.account"]
    AccountUserStatus = Literal["active", "disabled", "removed"]
    AddressCustomers = Literal["some", "none"]
    AddressType = Literal["standard", "drop_ship"]
    ApiKeyInclude = Literal["role", "role.permissions", "owner", "owner.account"]
    ApiKeyStatus = Literal["active", "expired", "revoked"]
    BillingType = Literal["sender", "third_party"]
    CarrierCode = Literal["fedex", "ups", "usps", "will_call", "delivery", "ltl", "ltl1", "freight_collect"]
    CarrierInclude = Literal["service_levels", "owner", "owner.account"]
    CommissionPolicy = Literal["commission_applied", "commission_exempt"]
    CustomerAddresses = Literal["keep", "delete"]
    CustomerInclude = Literal[
        "bill_to_address",
        "bill_to_address.geolocation",
        "ship_to_address",
        "ship_to_address.geolocation",
        "type",
        "parent_account",
        "child_accounts",
        "price_groups",
        "external_ids",
        "contact_info",
        "credit_limit",
        "credit_limit.unit",
        "notification_preferences",
        "freight_preferences",
        "freight_preferences.carrier",
        "freight_preferences.carrier.service_levels",
        "freight_preferences.service_level",
        "defaults",
        "defaults.payment_term",
        "defaults.shipping_term",
        "defaults.priority",
        "defaults.sales_rep",
        "defaults.sales_rep.user",
    ]
    CustomerPortalVisibility = Literal["visible", "hidden"]
    CustomerStatus = Literal["normal", "preferred", "hold_shipment", "hold_all"]
    EdiStatus = Literal["enabled", "disabled"]
    ErrorBodyType = Literal["invalid_request_error", "api_error", "idempotency_error"]
    FreightPolicy = Literal["free_freight", "billed_freight"]
    Include = Literal["owner", "owner.account"]
    Only = Literal["create", "update"]
    Outcome = Literal["created", "updated", "unchanged", "skipped", "joined", "problem"]
    ParentAccountStatus = Literal["non_parent", "parent"]
    PaymentTermStatus = Literal["active", "inactive"]
    Permission = Literal[
        "customers:read",
        "customers:create",
        "customers:update",
        "customers:delete",
        "customer_groups:read",
        "customer_groups:create",
        "customer_groups:update",
        "customer_groups:delete",
        "addresses:read",
        "addresses:create",
        "addresses:update",
        "addresses:delete",
        "carriers:read",
        "carriers:create",
        "carriers:update",
        "carriers:delete",
        "shipping_terms:read",
        "shipping_terms:create",
        "shipping_terms:update",
        "shipping_terms:delete",
        "payment_terms:read",
        "payment_terms:create",
        "payment_terms:update",
        "payment_terms:delete",
        "account_users:read",
        "account_users:create",
        "account_users:update",
        "account_users:delete",
        "api_keys:read",
        "api_keys:create",
        "api_keys:update",
        "api_keys:delete",
        "imports:read",
        "imports:create",
        "imports:update",
    ]
    PriorityCode = Literal["low", "normal", "high"]
    Relation = Literal["attached", "bill_to", "ship_to"]
    RelationshipType = Literal["standalone", "parent", "child"]
    RemovedScope = Literal["excluded", "included"]
    ShippingTermInclude = Literal[
        "flat_rate",
        "flat_rate.unit",
        "minimum_order_value",
        "minimum_order_value.unit",
        "free_shipping_service_levels",
        "owner",
        "owner.account",
    ]
    ShippingTermType = Literal["free_freight", "flat_rate_freight", "carrier_rate_freight"]
    State = Literal["planning", "planned", "applying", "applied", "failed", "discarded"]
    UnitType = Literal["currency", "quantity", "time", "mass", "volume", "length", "temperature", "area"]
else:
    # A later server may know more words.
    AccountGroupType = str
    AccountUserInclude = str
    AccountUserStatus = str
    AddressCustomers = str
    AddressType = str
    ApiKeyInclude = str
    ApiKeyStatus = str
    BillingType = str
    CarrierCode = str
    CarrierInclude = str
    CommissionPolicy = str
    CustomerAddresses = str
    CustomerInclude = str
    CustomerPortalVisibility = str
    CustomerStatus = str
    EdiStatus = str
    ErrorBodyType = str
    FreightPolicy = str
    Include = str
    Only = str
    Outcome = str
    ParentAccountStatus = str
    PaymentTermStatus = str
    Permission = str
    PriorityCode = str
    Relation = str
    RelationshipType = str
    RemovedScope = str
    ShippingTermInclude = str
    ShippingTermType = str
    State = str
    UnitType = str
