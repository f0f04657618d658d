"""The rules for Prometheus ask for figures that are shown, and each leads to a section that says what to do."""

import re
from pathlib import Path

import pytest
import yaml

from tradebook.app import templates
from tradebook.web import metrics_page
from tradebook.web.metrics import Board, families_of

ROOT = Path(__file__).parents[2]
ALARMS = (ROOT / "docs" / "alarms.md").read_text()
OPERATING = (ROOT / "docs" / "operating.md").read_text()
RULES = [
    rule
    for group in yaml.safe_load((ROOT / "docs" / "examples" / "alerts.yaml").read_text())["groups"]
    for rule in group["rules"]
]
ENDINGS = {
    "counter": ("_total",),
    "gauge": ("",),
    "highest": ("",),
    "histogram": ("_bucket", "_count", "_sum"),
}
MADE_FOR_THE_PAGE = {
    "tradebook_ready",
    "tradebook_workers",
    "tradebook_worker_memory_bytes",
    "tradebook_book_bytes",
    "tradebook_wal_bytes",
}
WRITTEN_BY_JOBS = {"tradebook_backup_timestamp_seconds", "tradebook_check_exit_code"}
NOT_SHOWN = {"tradebook_worker_process_id"}


def shown():
    """Each figure that is shown, with its labels and their values."""
    found = {name: {} for name in MADE_FOR_THE_PAGE}
    for family in families_of(templates(), replicas=1):
        for ending in ENDINGS[family.kind]:
            found[f"{family.name}{ending}"] = {name: set(values) for name, values in family.labels}
    return {name: labels for name, labels in found.items() if name not in NOT_SHOWN}


def wrong_in(expression):
    """Name what an expression asks for that there is not."""
    known, wrong = shown(), []
    for name, selector in re.findall(r"\b(tradebook_\w+)(?:\{([^}]*)\})?", expression):
        if name in WRITTEN_BY_JOBS:
            continue
        if name not in known:
            wrong.append(name)
            continue
        for label, operator, value in re.findall(r'(\w+)(=~|!=|=)"([^"]*)"', selector):
            values = value.split("|") if operator == "=~" else [value]
            wrong += [f"{label}={v}" for v in values if v not in known[name].get(label, ())]
    for labels in re.findall(r"by \(([^)]*)\)", expression):
        every = {"le"}.union(*known.values())
        wrong += [label for label in labels.split(", ") if label not in every]
    return wrong


def anchors_of(text):
    return {
        re.sub(r"[^a-z0-9 -]", "", title.lower()).replace(" ", "-")
        for title in re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    }


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_a_rule_asks_for_figures_that_are_shown_and_leads_to_a_section(rule):
    page, _, anchor = rule["annotations"]["runbook"].partition("#")

    assert wrong_in(rule["expr"]) == []
    assert page == "docs/alarms.md"
    assert anchor in anchors_of(ALARMS)


def test_what_a_rule_waits_for_is_shown_before_it_happens():
    """To Prometheus a figure that comes with its first fault has not risen, and what is added to none is none."""
    board = Board(families_of(templates(), replicas=1), parts=1)
    page = metrics_page._Figures(board, {}, ("127.0.0.1", 1))
    at_the_start = [(each.name, each.labels) for family in page.collect() for each in family.samples]

    for rule in RULES:
        for name, selector in re.findall(r"\b(tradebook_\w+)\{([^}]*)\}", rule["expr"]):
            chosen = dict(re.findall(r'(\w+)="([^"]*)"', selector)).items()
            assert [n for n, labels in at_the_start if n == name and chosen <= labels.items()], rule["alert"]


def test_every_section_has_a_rule():
    used = {rule["annotations"]["runbook"].partition("#")[2] for rule in RULES}

    assert anchors_of(ALARMS) - {"alarms"} == used


def test_every_figure_is_explained_and_no_other():
    section = OPERATING.partition("\n## Metrics\n")[2].partition("\n## ")[0]
    named = set(re.findall(r"`(tradebook_\w+)`", section))
    histograms = {f.name for f in families_of([], 1) if f.kind == "histogram"}
    bare = {name for name in shown() if not any(name.startswith(f"{h}_") for h in histograms)} | histograms

    assert named == bare


def test_what_an_expression_has_wrong_is_noticed():
    assert wrong_in('rate(tradebook_requests_total{status="200"}[5m])') == []
    assert wrong_in('tradebook_requests{status="200"}') == ["tradebook_requests"]
    assert wrong_in('tradebook_requests_total{status="999"}') == ["status=999"]
    assert wrong_in('tradebook_refusals_total{code=~"resource_gone|nothing"}') == ["code=nothing"]
    assert wrong_in("sum by (le, line) (tradebook_queue_wait_seconds_bucket)") == ["line"]


def test_links_into_a_page_lead_to_its_sections():
    assert [a for a in re.findall(r"operating\.md#([\w-]+)", ALARMS) if a not in anchors_of(OPERATING)] == []
    assert [a for a in re.findall(r"\]\(#([\w-]+)\)", ALARMS) if a not in anchors_of(ALARMS)] == []
    assert [a for a in re.findall(r"alarms\.md#([\w-]+)", OPERATING) if a not in anchors_of(ALARMS)] == []
    assert [a for a in re.findall(r"\]\(#([\w-]+)\)", OPERATING) if a not in anchors_of(OPERATING)] == []
