"""Where the demo's customers are, and what they are called there."""

from typing import NamedTuple


class Country(NamedTuple):
    """How companies, streets and phones look in one country."""

    code: str
    legal_forms: tuple[str, ...]
    street: str
    phone: str
    postal_end: str
    """How a postal code goes on behind its city's part: # is a digit, ? a letter."""
    surnames: tuple[str, ...]


class City(NamedTuple):
    """A real city: its state where the country writes one, and the beginning of its postal codes."""

    name: str
    state: str | None
    postal: str
    country: Country


_US = Country(
    "US",
    ("Inc.", "LLC", "Co.", "Corp."),
    "{n} {s} Street",
    "+1 {a} 555 01{p:02}",
    "##",
    ("Miller", "Harper", "Lawson", "Delgado", "O'Brien", "Whitaker", "Nguyen", "Brooks", "Castillo"),
)
_CA = Country(
    "CA",
    ("Ltd.", "Inc."),
    "{n} {s} Avenue",
    "+1 {a} 555 01{p:02}",
    "#",
    ("Tremblay", "MacLeod", "Gagnon", "Singh", "Fraser", "Bélanger", "Wong"),
)
_DE = Country(
    "DE",
    ("GmbH", "KG", "AG", "e.K."),
    "{s}straße {n}",
    "+49 {a} 23125 {p:03}",
    "##",
    ("Schäfer", "Weiß", "Großmann", "Köhler", "Brandt", "Voß", "Lindner", "Jäger"),
)
_FR = Country(
    "FR",
    ("S.A.R.L.", "SA", "SAS"),
    "{n}, rue {s}",
    "+33 1 99 00 {p:02} {q:02}",
    "##",
    ("Lefèvre", "Moreau", "Garnier", "Chevalier", "Béranger", "Faure"),
)
_GB = Country(
    "GB",
    ("Ltd", "plc", "& Sons"),
    "{n} {s} Road",
    "+44 20 7946 0{p:03}",
    "?",
    ("Ashworth", "Pemberton", "Clarke", "Hughes", "Barrow", "Whitfield"),
)
_ES = Country(
    "ES",
    ("S.L.", "S.A."),
    "Calle {s} {n}",
    "+34 91 055 {p:02} {q:02}",
    "##",
    ("Muñoz", "Ibáñez", "Navarro", "Peña", "Castaño"),
)
_IT = Country(
    "IT",
    ("S.r.l.", "S.p.A."),
    "Via {s} {n}",
    "+39 02 5550 {p:04}",
    "##",
    ("Ferrari", "Colombo", "Marchetti", "Galli", "Bellini"),
)
_NL = Country(
    "NL",
    ("B.V.", "V.O.F."),
    "{s}weg {n}",
    "+31 20 555 0{p:03}",
    "?",
    ("de Vries", "Jansen", "van Dijk", "Bakker", "Visser"),
)
_SE = Country(
    "SE",
    ("AB", "HB"),
    "{s}gatan {n}",
    "+46 8 4650 04{p:02}",
    "#",
    ("Lindqvist", "Åkesson", "Sjöberg", "Öberg", "Nyström"),
)
_DK = Country(
    "DK",
    ("A/S", "ApS"),
    "{s}vej {n}",
    "+45 33 55 {p:02} {q:02}",
    "##",
    ("Sørensen", "Jørgensen", "Østergaard", "Møller", "Kjær"),
)
_PL = Country(
    "PL",
    ("Sp. z o.o.", "S.A."),
    "ul. {s}a {n}",
    "+48 22 555 {p:02} {q:02}",
    "##",
    ("Wiśniewski", "Łukasik", "Dąbrowski", "Żak", "Król"),
)
_TR = Country(
    "TR",
    ("Ltd. Şti.", "A.Ş."),
    "{s} Caddesi {n}",
    "+90 212 555 {p:02} {q:02}",
    "##",
    ("İnce", "Yılmaz", "Çelik", "Şahin", "Güneş"),
)
_JP = Country(
    "JP",
    ("株式会社", "K.K."),
    "{n}-1 {s}",
    "+81 3 5550 {p:04}",
    "##",
    ("Tanaka", "山田", "Kobayashi", "佐藤", "Mori"),
)
_AU = Country(
    "AU",
    ("Pty Ltd",),
    "{n} {s} Street",
    "+61 2 5550 {p:04}",
    "##",
    ("Thornton", "Kelleher", "Nolan", "Baxter", "Hayes"),
)
_CH = Country("CH", ("AG", "GmbH"), "{s}gasse {n}", "+41 44 555 {p:02} {q:02}", "##",
              ("Zürcher", "Ammann", "Bühler", "Keller", "Rüegg"))  # fmt: skip

_PLACES: tuple[tuple[Country, str], ...] = (
    (_US, "Chicago/IL/606 Milwaukee/WI/532 Detroit/MI/482 Cleveland/OH/441 Boston/MA/021 Atlanta/GA/303 "
          "Charlotte/NC/282 Dallas/TX/752 Houston/TX/770 Austin/TX/787 Denver/CO/802 Phoenix/AZ/850 "
          "Portland/OR/972 Seattle/WA/981 Sacramento/CA/958 San_Diego/CA/921 Oakland/CA/946 Las_Vegas/NV/891 "
          "Nashville/TN/372 Memphis/TN/381 St._Louis/MO/631 Kansas_City/MO/641 Minneapolis/MN/554 "
          "Omaha/NE/681 Tulsa/OK/741 Buffalo/NY/142 Albany/NY/122 Pittsburgh/PA/152 Richmond/VA/232 "
          "Tampa/FL/336 Boise/ID/837 Salt_Lake_City/UT/841"),
    (_CA, "Toronto/ON/M5V_2T Montréal/QC/H2Y_1C Vancouver/BC/V6B_1A Calgary/AB/T2P_1J"),
    (_DE, "Berlin//101 Hamburg//200 München//803 Köln//506 Düsseldorf//402 Leipzig//041"),
    (_FR, "Paris//750 Lyon//690 Nantes//440"),
    (_GB, "London//SW1A_1A Manchester//M1_1A Leeds//LS1_1B"),
    (_ES, "Madrid//280 Valencia//460"),
    (_IT, "Milano/MI/201 Torino/TO/101"),
    (_NL, "Amsterdam//1011_A Utrecht//3511_A"),
    (_SE, "Malmö//211_2 Göteborg//411_0"),
    (_DK, "København//13 Århus//80"),
    (_PL, "Łódź//90-0 Kraków//30-0"),
    (_TR, "İstanbul//340 İzmir//350"),
    (_JP, "東京/東京都/100-00 Osaka/Osaka/530-00"),
    (_AU, "Sydney/NSW/20 Melbourne/VIC/30"),
    (_CH, "Zürich/ZH/80 Basel/BS/40"),
)  # fmt: skip

CITIES: tuple[City, ...] = tuple(
    City(name.replace("_", " "), state or None, postal.replace("_", " "), country)
    for country, listed in _PLACES
    for name, state, postal in (place.split("/") for place in listed.split())
)
CITIES_OF = {city.country: [c for c in CITIES if c.country is city.country] for city in CITIES}
# Half of the customers are at home in the United States.
CITY_WEIGHTS = tuple(3 if city.country is _US else 2 for city in CITIES)

STREETS = ("Market", "Mill", "Harbor", "Station", "Garden", "Bridge", "Park", "Church", "Forge", "Canal")
TRADES = (
    "Kitchen Supply", "Hardware", "Housewares", "Restaurant Supply", "Cookware", "Tools", "Home & Garden",
    "Tableware", "Catering", "Ironmongery", "Provisions", "Trading", "Outfitters", "General Store",
)  # fmt: skip
ADJECTIVES = (
    "North", "Golden", "Old Town", "Riverside", "Summit", "Copper", "Union", "Prairie", "Blue Door",
    "Evergreen", "Harvest", "Lakeside", "Stonegate", "Silver", "Crescent", "Beacon", "Hillcrest",
)  # fmt: skip
PEOPLE = (
    "Alex",
    "Robin",
    "Sam",
    "Maria",
    "Jonas",
    "Elif",
    "Chloé",
    "Yuki",
    "Marta",
    "Björn",
    "Grace",
    "Omar",
)
