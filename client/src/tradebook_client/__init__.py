"""A client of Tradebook, the customer book as an HTTP API.

```python
from tradebook_client import Tradebook

with Tradebook("http://127.0.0.1:8000", "tb_sk_…") as book:
    for customer in book.customers.list(q="acme"):
        print(customer.number, customer.name)
```
"""

from tradebook_client import bodies, objects, words
from tradebook_client.async_resources import AsyncTradebook
from tradebook_client.created_keys import CreatedApiKey
from tradebook_client.errors import (
    ApiError,
    Conflict,
    Forbidden,
    Gone,
    Invalid,
    NoAnswer,
    NotFound,
    PreconditionFailed,
    RateLimited,
    ServerError,
    TradebookError,
    Unauthenticated,
    Unavailable,
    UnexpectedAnswer,
)
from tradebook_client.lists import ListOf
from tradebook_client.resources import Tradebook

__all__ = [
    "ApiError",
    "AsyncTradebook",
    "Conflict",
    "CreatedApiKey",
    "Forbidden",
    "Gone",
    "Invalid",
    "ListOf",
    "NoAnswer",
    "NotFound",
    "PreconditionFailed",
    "RateLimited",
    "ServerError",
    "Tradebook",
    "TradebookError",
    "Unauthenticated",
    "Unavailable",
    "UnexpectedAnswer",
    "bodies",
    "objects",
    "words",
]
