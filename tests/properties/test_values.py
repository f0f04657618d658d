"""Laws of the small values that everything else is made of."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tradebook.clock import format_ms, parse_rfc3339, read_ms
from tradebook.crud.cursor import Cursors, Position
from tradebook.errors import ParameterInvalid
from tradebook.ids import (
    KEY_MAX,
    MILLISECONDS_MAX,
    KeyMaker,
    decode_body,
    decode_id,
    encode_body,
    encode_id,
    first_key_of,
    milliseconds_of,
)
from tradebook.money import WrongAmount, display_amount, parse_amount
from tradebook.text import fold, fold_phone, phone_form, shortened, words_of
from tradebook.web.query_string import page_url, parse_query_string

keys = st.integers(0, KEY_MAX)
moments = st.integers(0, 253_402_300_799_999)


# Ids


@given(key=keys)
def test_an_id_reads_back_as_its_key_and_no_other_type_does(key):
    assert decode_id("ac", encode_id("ac", key)) == key
    assert decode_id("acgr", encode_id("ac", key)) is None


@given(first=keys, second=keys)
def test_ids_sort_as_keys_do(first, second):
    assert (encode_body(first) < encode_body(second)) == (first < second)


@given(
    text=st.text(max_size=16) | st.text("0123456789abcdefghijklmnopqrstuvwxyzABC٣", min_size=13, max_size=13)
)
def test_a_key_has_one_spelling(text):
    key = decode_body(text)

    assert key is None or encode_body(key) == text


@given(milliseconds=st.integers(0, MILLISECONDS_MAX))
def test_a_moments_keys_lie_between_its_first_key_and_the_next_moments(milliseconds):
    assert milliseconds_of(first_key_of(milliseconds)) == milliseconds
    assert (
        first_key_of(milliseconds) == 0 or milliseconds_of(first_key_of(milliseconds) - 1) == milliseconds - 1
    )


@given(clock=st.lists(st.integers(0, 1_000), min_size=2, max_size=50))
def test_keys_rise_whatever_the_clock_does(clock):
    maker = KeyMaker()
    made = [maker.next(moment) for moment in clock]

    assert made == sorted(set(made))


@given(
    clock=st.lists(st.tuples(st.integers(1, 3) | st.integers(0, MILLISECONDS_MAX - 1), st.integers(1, 1_000)))
)
def test_keys_that_are_made_together_follow_each_other_and_none_is_given_twice(clock):
    maker, last = KeyMaker(), -1
    for moment, count in clock:
        first = maker.next(moment, count)
        assert first > last
        last = first + count - 1


# Times


@given(milliseconds=moments)
def test_a_moment_reads_back_as_it_was_written(milliseconds):
    assert parse_rfc3339(format_ms(milliseconds)) == (milliseconds, False)
    assert read_ms(format_ms(milliseconds)) == milliseconds


@given(
    milliseconds=moments.filter(lambda ms: 10**8 < ms < 253_402_000_000_000),
    minutes=st.integers(-23 * 60 - 59, 23 * 60 + 59),
    digits=st.integers(0, 9),
)
def test_offsets_and_fractions_mean_what_the_standard_library_says(milliseconds, minutes, digits):
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=milliseconds, minutes=minutes)
    sign, rest = "-" if minutes < 0 else "+", abs(minutes)
    fraction = f"{milliseconds % 1000:03}{'7' * digits}"
    text = f"{moment:%Y-%m-%dT%H:%M:%S}.{fraction}{sign}{rest // 60:02}:{rest % 60:02}"

    assert parse_rfc3339(text) == (milliseconds, digits > 0)


# Words


@pytest.mark.parametrize(
    ("text", "folded"),
    [("A–B’S", "a-b's"), ("Kürschner – Ærø", "kurschner - aero"), ("Ω\u0301ﬁ", "ωfi"), ("\u1fef", "'")],
)
def test_letters_and_signs_become_what_is_typed_for_them(text, folded):
    assert fold(text) == folded


@given(text=st.text())
def test_folding_twice_is_folding_once(text):
    assert fold(fold(text)) == fold(text)


@given(text=st.text())
def test_case_makes_no_difference(text):
    assert fold(text.upper()) == fold(text.upper().lower())
    assert [fold(word) for word in words_of(text)] == words_of(text)


@given(digits=st.text("0123456789", min_size=1), marks=st.text("+-./()", max_size=5))
def test_a_phone_number_is_its_digits_however_it_is_written(digits, marks):
    written = marks.join(digits)

    assert fold_phone(written) == fold_phone(digits) == phone_form(digits)
    assert phone_form(marks + digits) == phone_form(digits)


# Amounts


@given(amount=st.from_regex(r"-[0-9]{1,12}(\.[0-9]{1,6})?", fullmatch=True))
def test_an_amount_below_zero_is_none(amount):
    if Decimal(amount):
        with pytest.raises(WrongAmount, match="negative"):
            parse_amount(amount)
    else:
        assert Decimal(parse_amount(amount)) == 0


@given(amount=st.from_regex(r"\+?[0-9]{1,12}(\.[0-9]{1,6})?", fullmatch=True))
def test_an_amount_keeps_its_value_and_its_decimals(amount):
    kept = parse_amount(amount)

    assert Decimal(kept) == Decimal(amount)
    assert kept.partition(".")[2] == amount.partition(".")[2]
    assert parse_amount(kept) == kept
    assert Decimal(display_amount(kept, "USD").replace("$", "").replace(",", "")) == Decimal(kept)


# Cursors

cursors = Cursors(lambda: b"a secret of thirty-two characters")
positions = st.builds(Position, keys, backwards=st.booleans())


@given(position=positions, scope=st.binary(max_size=40))
def test_a_cursor_reads_back_in_its_own_scope_only(position, scope):
    text = cursors.encode(position, scope)

    assert cursors.decode(text, scope, param="cursor") == position
    for wrong in (scope + b"x", scope[1:] if scope else b"y"):
        with pytest.raises(ParameterInvalid):
            cursors.decode(text, wrong, param="cursor")
    with pytest.raises(ParameterInvalid):
        Cursors(lambda: b"another secret").decode(text, scope, param="cursor")


@given(position=positions, place=st.integers(0, 27), letter=st.characters(max_codepoint=0x2FF))
def test_a_cursor_with_one_letter_changed_is_refused(position, place, letter):
    text = cursors.encode(position, b"")
    changed = text[:place] + letter + text[place + 1 :]

    if changed != text:
        with pytest.raises(ParameterInvalid) as caught:
            cursors.decode(changed, b"", param="cursor")
        assert caught.value.param == "cursor"


# URLs of pages

texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)


@given(pairs=st.lists(st.tuples(texts, texts), max_size=5), position=positions)
def test_the_url_of_a_page_reads_back_as_what_was_asked_for(pairs, position):
    path, _, query = page_url(cursors, "/v1/sales/customers", pairs, position, b"scope").partition("?")

    assert path == "/v1/sales/customers"
    assert query.isascii()
    assert parse_query_string(query) == [*pairs, ("cursor", cursors.encode(position, b"scope"))]


@given(value=st.text(max_size=30), length=st.integers(1, 30))
def test_text_that_is_cut_says_so_and_is_not_longer_than_it_may_be(value, length):
    cut = shortened(value, length)

    assert len(cut) == min(len(value), length)
    assert cut == value or (cut.endswith("…") and value.startswith(cut[:-1]))
