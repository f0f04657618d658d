"""The pages in a real browser: for everyone, on every screen, and without asking any other server."""

import re
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.fixtures.browser import DESKTOP, PHONE, Tab, only_when_asked
from tradebook.resources import ALL
from tradebook.web.openapi import openapi_document
from tradebook.web.pages.description import slug_of

pytestmark = only_when_asked
SLUGS = [slug_of(tag["name"]) for tag in openapi_document(ALL)["tags"]]
PAGES = ["/", "/docs", *(f"/docs/{slug}" for slug in SLUGS), "/errors"]
KINDS = ["/", "/docs", "/docs/payment-terms", "/errors"]
"""One page of each template."""


def axe_source():
    (folder,) = find_spec("axe_playwright_python").submodule_search_locations
    return (Path(folder) / "axe.min.js").read_text()


def faults_of(page):
    """What axe finds, by rule, with the first place of each."""
    page.evaluate(axe_source())
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")["violations"]
    return [(each["id"], each["nodes"][0]["target"], each["nodes"][0]["failureSummary"]) for each in found]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desktop", "phone"])
@pytest.mark.parametrize("path", KINDS)
def test_axe_finds_nothing(tab, path, viewport, scheme):
    page = tab(viewport, color_scheme=scheme).open(path)
    page.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = true; })")

    assert faults_of(page) == []


def test_axe_finds_nothing_on_the_largest_page(tab):
    assert faults_of(tab(PHONE, color_scheme="dark").open("/docs/customers")) == []


def test_axe_finds_nothing_in_what_opens(tab):
    page = tab(PHONE).open("/docs/priorities")
    page.get_by_role("button", name="Menu").click()
    assert page.get_by_role("navigation").is_visible()
    assert faults_of(page) == []

    page.get_by_role("button", name="Close").click()
    page.keyboard.press("/")
    page.keyboard.type("status")
    page.get_by_role("option").first.wait_for()
    assert faults_of(page) == []


def test_what_axe_would_find_is_noticed(tab):
    page = tab().open("/errors")
    page.evaluate("document.querySelector('main').append(document.createElement('img'))")

    assert [rule for rule, _, _ in faults_of(page)] == ["image-alt"]


@pytest.mark.parametrize("width", [320, 390, 768, 1440])
def test_no_page_is_wider_than_the_screen(tab, width):
    opened = tab({"width": width, "height": 800})

    wide = [path for path in PAGES if wider_than_screen(opened.open(path))]

    assert wide == []


def wider_than_screen(page):
    page.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = true; })")
    return page.evaluate("document.documentElement.scrollWidth > innerWidth")


def test_a_foreign_request_and_a_complaint_are_noticed(chromium, pages_url):
    """The policy stops both, which the browser says; a page without one would ask."""
    opened = Tab(chromium, pages_url, DESKTOP)
    page = opened.open("/docs")
    page.evaluate("document.body.append(Object.assign(new Image(), {src: 'http://127.0.0.1:9/x.png'}))")
    page.evaluate(
        "document.head.append(Object.assign(document.createElement('script'), {text: 'window.x = 1'}))"
    )
    page.wait_for_function("document.images.length > 1")

    assert page.evaluate("window.x") is None
    assert len([each for each in opened.complaints if "Content Security Policy" in each]) == 2
    assert opened.foreign == ["http://127.0.0.1:9/x.png"]
    opened.close()


# Search


@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_the_search_works_by_keyboard(tab, viewport):
    page = tab(viewport).open("/docs")
    page.keyboard.press("/")
    page.keyboard.type("create customer")
    page.get_by_role("option").first.wait_for()

    chosen = page.locator("[aria-selected=true]")
    assert chosen.locator("b").text_content() == "Create a customer"
    assert page.get_by_role("combobox").get_attribute("aria-activedescendant") == chosen.get_attribute("id")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")

    page.wait_for_url("**/docs/customers#create_customer")
    assert is_seen(page, "Create a customer")


def is_seen(page, heading):
    """A heading is on the screen, and below what stays at the top."""
    place = page.get_by_role("heading", name=heading).bounding_box()
    return place["y"] > page.locator("header.top").bounding_box()["height"] - 1 and place["y"] < 500


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        ("postal_code", "parameter"),
        ("credit_limit", "field"),
        ("relationship_type", "property"),
        ("rate_limit_exceeded", "error"),
        ("PATCH /v1/sales/customers", "route"),
        ("retry-after", "header"),
    ],
)
def test_the_search_finds_every_kind(tab, words, kind):
    page = tab().open("/")
    page.get_by_role("combobox").fill(words)
    page.get_by_role("option").first.wait_for()

    assert kind in page.get_by_role("option").locator(".kind").all_text_contents()


def test_a_search_without_a_result_says_so_and_ends(tab):
    page = tab().open("/docs")
    page.get_by_role("combobox").fill("zzzz")

    page.get_by_text("Nothing was found.").wait_for()
    page.keyboard.press("Escape")

    assert page.get_by_role("listbox").count() == 0
    assert page.get_by_role("combobox").get_attribute("aria-expanded") == "false"


# The switch, the language of examples, copying


def background(page):
    return page.evaluate("getComputedStyle(document.body).backgroundColor")


def test_light_and_dark_follow_the_system_until_they_are_switched(tab):
    light, dark = tab(color_scheme="light"), tab(color_scheme="dark")
    assert background(light.open("/docs")) != background(dark.open("/docs"))

    light.page.get_by_role("button", name="Show the pages dark").click()

    assert background(light.page) == background(dark.page)
    assert background(light.open("/errors")) == background(dark.page)


def test_a_language_is_chosen_once_for_all_examples(tab):
    page = tab().open("/docs/customers")
    page.get_by_role("radio", name="Python").nth(1).check(force=True)

    assert page.locator("pre.curl:visible").count() == 0
    assert page.locator("pre.python:visible").count() == page.locator("pre.python").count()
    page.goto("/docs/carriers")
    assert page.locator("pre.python:visible").count() == page.locator("pre.python").count()


def test_an_example_is_copied_as_it_is_printed(tab):
    page = tab(permissions=["clipboard-read", "clipboard-write"]).open("/docs/customers")
    page.get_by_role("button", name="Copy: List customers").first.click()
    page.get_by_role("button", name="Copy: List customers").first.get_by_text("Copied").wait_for()

    assert page.evaluate("navigator.clipboard.readText()") == page.locator("pre.curl").first.text_content()


# Where one arrives


def test_doc_url_leads_to_the_sentence_of_its_error(tab):
    opened = tab()
    answer = opened.page.request.get("/nix").json()

    page = opened.open(answer["error"]["doc_url"])

    assert is_seen(page, answer["error"]["code"])


def test_what_is_folded_away_opens_for_who_comes_to_it(tab):
    page = tab().open("/docs/customers#create_customer.body.bill_to_address.country")

    page.locator("[id='create_customer.body.bill_to_address.country']").wait_for(state="visible")


def test_the_first_stop_of_the_keyboard_leads_past_the_contents(tab):
    page = tab().open("/docs/customers")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the text"
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")

    assert page.evaluate("document.activeElement.closest('main') !== null")


def test_every_stop_of_the_keyboard_is_seen(tab):
    page = tab().open("/docs/priorities")
    seen = []
    for _ in range(40):
        page.keyboard.press("Tab")
        seen.append(
            page.evaluate("""() => {
            const at = document.activeElement;
            const shown = at.matches('input[type=radio]') ? at.nextElementSibling : at;
            return [at.outerHTML.slice(0, 80), getComputedStyle(shown).outlineStyle];
        }""")
        )

    assert [html for html, outline in seen if outline != "solid"] == []


# Without a script, and on paper


def test_the_pages_are_whole_without_a_script(tab):
    page = tab(PHONE, java_script_enabled=False).open("/docs/customers")
    assert page.get_by_role("heading", name="Create a customer").is_visible()
    assert page.get_by_role("combobox").count() == 0

    page.locator(".example label", has_text="TypeScript").first.click()
    assert page.locator("pre.typescript").first.is_visible()
    page.get_by_role("button", name="Menu").click()
    page.get_by_role("link", name="Carriers").click()

    page.wait_for_url("**/docs/carriers")


def test_paper_has_the_text_and_nothing_to_press(tab):
    page = tab().open("/docs/customers")
    page.emulate_media(media="print")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")

    assert page.get_by_role("navigation").count() == 0
    assert page.get_by_role("button").count() == 0
    assert page.locator("details:not([open])").count() == 0
    assert re.search(r"/Type\s*/Page\b", page.pdf().decode("latin-1"))
