"""Django REST framework: models, serializers, cursor pagination and generic views, as its guide teaches."""

import os
from typing import ClassVar
from urllib.parse import unquote, urlsplit

import django
from django.conf import settings

_url = urlsplit(os.environ["PEER_DATABASE"])
_ON_A_FILE = {
    "ENGINE": "django.db.backends.sqlite3",
    "NAME": unquote(_url.path[1:]),
    "OPTIONS": {
        "transaction_mode": "IMMEDIATE",
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA mmap_size=1073741824",
    },
}
_ON_A_SERVER = {
    "ENGINE": "django.db.backends.postgresql",
    "NAME": _url.path[1:],
    "USER": _url.username,
    "HOST": _url.hostname,
    "PORT": _url.port,
}
_IS_SQLITE = _url.scheme.startswith("sqlite")
settings.configure(
    ALLOWED_HOSTS=["*"],
    DATABASES={"default": {**(_ON_A_FILE if _IS_SQLITE else _ON_A_SERVER), "CONN_MAX_AGE": None}},
    INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth", "rest_framework", "bench.peers"],
    MIDDLEWARE=["django.middleware.common.CommonMiddleware"],
    REST_FRAMEWORK={
        "DEFAULT_AUTHENTICATION_CLASSES": [],
        "DEFAULT_PERMISSION_CLASSES": [],
        "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
        "UNAUTHENTICATED_USER": None,
    },
    ROOT_URLCONF=__name__,
    SECRET_KEY="bench",
    USE_TZ=False,
)
django.setup()

from django.core.wsgi import get_wsgi_application  # noqa: E402
from django.db import models, transaction  # noqa: E402
from django.urls import path  # noqa: E402
from django.utils import timezone  # noqa: E402
from rest_framework import generics, pagination, serializers  # noqa: E402

from bench.peers.models import ADDRESS, OWN, PLAIN, RELATED  # noqa: E402

TEXT = {"null": True, "blank": True}


class Named(models.Model):
    """A small table of names."""

    id = models.BigAutoField(primary_key=True)
    name = models.TextField()

    class Meta:
        """Tables stand there already."""

        abstract = True


def named(table: str) -> type[models.Model]:
    """Declare a small table of names."""
    meta = type("Meta", (), {"db_table": table, "managed": False, "app_label": "peers"})
    return type(table.title().replace("_", ""), (Named,), {"__module__": __name__, "Meta": meta})


Group, User, Carrier, ServiceLevel, PaymentTerm, ShippingTerm = (
    named(table)
    for table in ("groups", "users", "carriers", "service_levels", "payment_terms", "shipping_terms")
)


def one(model: type[models.Model] | str, **more: object) -> models.ForeignKey:
    """Refer to one row, or none."""
    return models.ForeignKey(model, models.DO_NOTHING, null=True, related_name=more.pop("name", "+"), **more)


class Address(models.Model):
    """An address of a customer."""

    id = models.BigAutoField(primary_key=True)
    customer = models.ForeignKey("peers.Customer", models.DO_NOTHING, related_name="addresses")
    name = models.TextField()
    phone = models.TextField(**TEXT)
    email = models.TextField(**TEXT)
    street_line_1 = models.TextField(**TEXT)
    street_line_2 = models.TextField(**TEXT)
    locality = models.TextField(**TEXT)
    state = models.TextField(**TEXT)
    postal_code = models.TextField(**TEXT)
    country = models.TextField()
    created_at = models.DateTimeField(default=timezone.now)
    updated_at = models.DateTimeField(default=timezone.now)

    class Meta:
        """Where they are kept."""

        db_table, managed, app_label = "addresses", False, "peers"


class Customer(models.Model):
    """A customer."""

    id = models.BigAutoField(primary_key=True)
    name = models.TextField()
    number = models.TextField(unique=True)
    status = models.TextField(default="normal")
    edi_status = models.TextField(default="disabled")
    relationship_type = models.TextField(default="standalone")
    commission_policy = models.TextField(default="commissionable")
    note = models.TextField(**TEXT)
    credit_limit = models.TextField(**TEXT)
    email = models.TextField(**TEXT)
    phone = models.TextField(**TEXT)
    url = models.TextField(**TEXT)
    billing_account = models.TextField(**TEXT)
    accepts_invoice_emails = models.BooleanField(default=True)
    type = one(Group)
    carrier = one(Carrier)
    service_level = one(ServiceLevel)
    payment_term = one(PaymentTerm)
    shipping_term = one(ShippingTerm)
    sales_rep = one(User)
    parent = one("self", name="children")
    bill_to_address = one(Address)
    ship_to_address = one(Address)
    price_groups = models.ManyToManyField(
        Group, through="CustomerPriceGroup", through_fields=("customer", "group"), related_name="customers"
    )
    search_text = models.TextField()
    created_at = models.DateTimeField(default=timezone.now)
    updated_at = models.DateTimeField(default=timezone.now)

    class Meta:
        """Where they are kept."""

        db_table, managed, app_label = "customers", False, "peers"


class CustomerPriceGroup(models.Model):
    """A price group of a customer."""

    id = models.BigAutoField(primary_key=True)
    customer = models.ForeignKey(Customer, models.DO_NOTHING)
    group = models.ForeignKey(Group, models.DO_NOTHING)

    class Meta:
        """Where they are kept."""

        db_table, managed, app_label = "customer_price_groups", False, "peers"


def shown(shown_model: type[models.Model], *names: str) -> serializers.SerializerMetaclass:
    """Declare a serializer of some fields."""
    meta = type("Meta", (), {"model": shown_model, "fields": names})
    return type(f"{shown_model.__name__}Shown", (serializers.ModelSerializer,), {"Meta": meta})


class CustomerShown(serializers.ModelSerializer):
    """A customer."""

    class Meta:
        """Its own columns."""

        model, fields = Customer, PLAIN


class WholeCustomerShown(serializers.ModelSerializer):
    """A customer with everything that belongs to it."""

    type = shown(Group, "id", "name")()
    carrier = shown(Carrier, "id", "name")()
    service_level = shown(ServiceLevel, "id", "name")()
    payment_term = shown(PaymentTerm, "id", "name")()
    shipping_term = shown(ShippingTerm, "id", "name")()
    sales_rep = shown(User, "id", "name")()
    parent = CustomerShown()
    children = CustomerShown(many=True)
    price_groups = shown(Group, "id", "name")(many=True)
    bill_to_address = shown(Address, *ADDRESS)()
    ship_to_address = shown(Address, *ADDRESS)()

    class Meta:
        """All columns."""

        model, fields = Customer, (*PLAIN, *OWN, *RELATED)


class AddressGiven(serializers.ModelSerializer):
    """An address to be made."""

    class Meta:
        """What is given."""

        model, fields = Address, ("name", "country", "locality", "state")


class CustomerGiven(serializers.ModelSerializer):
    """A customer to be made, with its two addresses."""

    bill_to_address, ship_to_address = AddressGiven(), AddressGiven()
    type_id, carrier_id, payment_term_id, shipping_term_id = (serializers.IntegerField() for _ in range(4))

    class Meta:
        """What is given."""

        model = Customer
        fields = (
            "name",
            "number",
            "type_id",
            "carrier_id",
            "payment_term_id",
            "shipping_term_id",
            "bill_to_address",
            "ship_to_address",
        )

    @transaction.atomic
    def create(self, given: dict) -> Customer:
        """Make all three."""
        addresses = [given.pop("bill_to_address"), given.pop("ship_to_address")]
        words = [given["name"], given["number"]]
        words += [word for a in addresses for word in (a["name"], a["locality"], a["state"])]
        customer = Customer.objects.create(**given, search_text="\n".join(words).lower())
        made = [Address.objects.create(customer=customer, **address) for address in addresses]
        customer.bill_to_address, customer.ship_to_address = made
        customer.save(update_fields=["bill_to_address", "ship_to_address"])
        return customer

    def to_representation(self, customer: Customer) -> dict:
        """Show it as the list does."""
        return CustomerShown(customer).data


class Pages(pagination.CursorPagination):
    """Pages of 100, newest first."""

    page_size, page_size_query_param, max_page_size, ordering = 100, "limit", 1000, "-id"


class Customers(generics.ListCreateAPIView):
    """Customers."""

    pagination_class = Pages
    serializers: ClassVar = {"GET": CustomerShown, "POST": CustomerGiven}

    def get_serializer_class(self) -> type:
        """Read and write differently."""
        return self.serializers[self.request.method]

    def get_queryset(self) -> models.QuerySet:
        """Narrow the list."""
        found, given = Customer.objects.only(*PLAIN), self.request.query_params
        if status := given.get("status"):
            found = found.filter(status=status)
        if state := given.get("state"):
            own = Address.objects.filter(customer_id=models.OuterRef("id"), state=state)
            found = found.filter(models.Exists(own))
        if q := given.get("q"):
            found = found.filter(search_text__contains=q.lower())
        return found


class WholeCustomers(generics.ListAPIView):
    """Customers with everything that belongs to them."""

    pagination_class = Pages
    serializer_class = WholeCustomerShown
    queryset = Customer.objects.select_related(
        "type",
        "carrier",
        "service_level",
        "payment_term",
        "shipping_term",
        "sales_rep",
        "parent",
        "bill_to_address",
        "ship_to_address",
    ).prefetch_related(
        "price_groups",
        models.Prefetch("children", Customer.objects.only(*PLAIN, "parent_id").order_by("-id")),
    )


urlpatterns = [path("customers", Customers.as_view()), path("whole", WholeCustomers.as_view())]
application = get_wsgi_application()
