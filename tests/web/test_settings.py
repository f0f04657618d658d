"""Settings from the environment: what can't be read is refused at the start, in the operator's words."""

import msgspec
import pytest

from tradebook.settings import Settings, load_settings
from tradebook.web.limits import MachineLimiter

WHOLE_NUMBERS = [field for field in msgspec.structs.fields(Settings) if type(field.default) is int]


@pytest.mark.parametrize("field", WHOLE_NUMBERS, ids=lambda field: field.name)
def test_a_number_has_two_ends_and_beyond_them_it_is_refused_with_both(field):
    name = f"TRADEBOOK_{field.name.upper()}"
    (bounds,) = field.type.__metadata__

    assert getattr(load_settings({name: str(bounds.le)}), field.name) == bounds.le
    for value in (bounds.le + 1, bounds.ge - 1, "x", ""):
        with pytest.raises(ValueError, match=f"takes a whole number from {bounds.ge} to {bounds.le}\\.$"):
            load_settings({name: str(value)})


@pytest.mark.parametrize(
    ("name", "value", "takes"),
    [
        ("TRADEBOOK_LOG_REQUESTS", "maybe", "`true` or `false`"),
        (
            "TRADEBOOK_RATE_LIMIT_STORAGE",
            "cache.example:6379",
            "a URL that begins with `redis://` or `rediss://`",
        ),
        ("TRADEBOOK_CORS_ORIGINS", "app.example.com", "origins such as `https://app.example.com`, or `*`"),
    ],
)
def test_what_a_setting_takes_is_told_without_types_and_patterns(name, value, takes):
    with pytest.raises(ValueError, match="can't be read") as refused:
        load_settings({name: value})

    assert str(refused.value) == f"{name}={value!r} can't be read: it takes {takes}."


def test_the_highest_limit_can_be_counted(tmp_path):
    highest = load_settings({"TRADEBOOK_RATE_LIMIT": "1000000000"}).rate_limit
    limiter = MachineLimiter("sqlite:///book.db", highest, 60, folder=str(tmp_path))

    first = limiter.hit(1, ahead=highest)

    assert first.remaining == highest - 1
