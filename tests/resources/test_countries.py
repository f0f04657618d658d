"""Countries as people write them: what is understood, and what is only offered."""

import pycountry
import pytest

from tradebook.crud.kinds import Unreadable
from tradebook.resources.addresses import Country
from tradebook.resources.countries import countries_near, country_code

WRITTEN = {
    "NL": ["The Netherlands", "Netherlands", "Holland", "nl", "NLD"],
    "US": ["U.S.A.", "USA", "U. S. A.", "U.S.", "United States", "the United States of America"],
    "GB": [
        "England",
        "Scotland",
        "Wales",
        "Northern Ireland",
        "N. Ireland",
        "UK",
        "U.K.",
        "Great Britain",
        "XI",
    ],
    "NA": ["NA", "NAM", "Namibia"],
    "XK": ["Kosovo", "XK", "XKX"],
    "KR": ["South Korea", "Korea, South", "Korea (South)", "Republic of Korea", "Korea, Republic of"],
    "KP": ["North Korea", "Democratic People's Republic of Korea", "Democratic People’s Republic of Korea"],
    "AE": ["UAE", "U.A.E.", "United Arab Emirates"],
    "CI": ["Ivory Coast", "Côte d'Ivoire", "Cote d’Ivoire", "COTE DIVOIRE"],
    "MK": ["North Macedonia", "Macedonia", "FYROM"],
    "GR": ["EL", "Greece", "GRC"],
    "IE": ["Ireland", "Eire", "Éire", "Ireland (Republic of)", "Republic of Ireland"],
    "BA": ["Bosnia & Herzegovina", "Bosnia-Herzegovina", "Bosnia and Herzegovina", "Bosnia"],
    "CZ": ["Czech Republic", "Czechia"],
    "TR": ["Turkey", "Türkiye", "Turkiye"],
    "CD": ["DRC", "DR Congo", "Congo, The Democratic Republic of the", "Democratic Republic of the Congo"],
    "LC": ["St. Lucia", "St Lucia", "Saint Lucia"],
    "VA": ["Vatican", "Holy See", "Vatican City"],
    "HK": ["Hong Kong", "Hong Kong SAR"],
    "ES": ["Canary Islands", "IC", "Spain"],
    "DE": ["Germany (DE)", "DE - Germany", "Federal Republic of Germany (Germany)"],
    "CN": ["P.R. China", "PR China", "People's Republic of China"],
}


@pytest.mark.parametrize(
    ("written", "code"), [(name, code) for code, names in WRITTEN.items() for name in names]
)
def test_what_people_write_is_understood(written, code):
    assert country_code(written) == code


@pytest.mark.parametrize("written", ["Germany (FR)", "USA / Canada", "Germany (Munich)", "FR - Germany"])
def test_two_countries_are_none(written):
    assert country_code(written) is None


def test_every_name_of_iso_3166_is_understood():
    for country in pycountry.countries:
        names = {getattr(country, field, None) for field in ("alpha_2", "alpha_3", "name", "official_name")}
        assert {country_code(name) for name in names if name} == {country.alpha_2}


@pytest.mark.parametrize(
    ("written", "offered"),
    [
        ("Korea", "KR (South Korea) or KP (North Korea)"),
        ("Virgin Islands", "VG (British Virgin Islands) or VI (U.S. Virgin Islands)"),
        ("Channel Islands", "JE (Jersey) or GG (Guernsey)"),
        ("America", "US (United States)"),
        ("Germny", "DE (Germany)"),
        ("DE - Germny", "DE (Germany)"),
    ],
)
def test_what_could_be_meant_is_offered_and_not_guessed(written, offered):
    with pytest.raises(Unreadable, match="is no country: did you mean ") as refused:
        Country().read_cell(written)

    assert str(refused.value).endswith(f"{offered}?")


@pytest.mark.parametrize(
    "written",
    [
        "Deutschland",
        "Freedonia",
        "",
        " ",
        "the",
        "and the of",
        "ZZ",
        "N/A",
        "n.a.",
        "N A",
        "A/S",
        "C/O",
        "U/S",
        "\u0301",
    ],
)
def test_what_is_no_country_is_none(written):
    assert country_code(written) is None
    assert countries_near(written) == ()
