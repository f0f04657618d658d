"""Builds the documentation as a site; fails on a link that leads nowhere and on what loads from elsewhere.

Its pages are those of docs/ and those beside it that docs/index.md names; its navigation is that page. They
are built from a copy, as a site has no code that a link could lead to: there, the name stays as it is.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from functools import cache
from html.parser import HTMLParser
from pathlib import Path

ROOT = Path(__file__).parents[1]
SITE = ROOT / "site"
BESIDE = {name: name.lower() for name in ("CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md")}
"""Pages at the root of the repository, by what they are called in the site."""
_LINK = re.compile(r"(?<!!)\[((?:[^\[\]]|\[[^\]]*\])*)\]\(([^()\s]+)\)")
_FENCE = re.compile(r"^( *```.*?^ *```$)", re.MULTILINE | re.DOTALL)


def main() -> None:
    """Build the site."""
    with tempfile.TemporaryDirectory(prefix="tradebook-site-") as name:
        folder = Path(name)
        gather(folder / "docs")
        settings = (ROOT / "zensical.toml").read_text()
        (folder / "zensical.toml").write_text(settings.replace("[project]\n", navigation(folder), 1))
        done = subprocess.run(
            [sys.executable, "-m", "zensical", "build", "--strict", "--clean"],
            cwd=folder,
            check=False,
            capture_output=True,
            text=True,
        )
        if done.returncode:
            sys.exit(f"{done.stdout}{done.stderr}")
        site = folder / "site"
        faults = sorted({fault for page in site.rglob("*.html") for fault in faults_of(page, site)})
        if faults:
            sys.exit("\n".join(faults))
        shutil.rmtree(SITE, ignore_errors=True)
        shutil.copytree(site, SITE)
    print(f"{len([*SITE.rglob('*.html')])} pages in {SITE.relative_to(ROOT)}/")


def gather(folder: Path) -> None:
    """Copy all pages, with links that hold there."""
    shutil.copytree(ROOT / "docs", folder)
    for name, own in BESIDE.items():
        shutil.copy(ROOT / name, folder / own)
    for page in folder.rglob("*.md"):
        there = page.relative_to(folder)
        beside = {own: ROOT / name for name, own in BESIDE.items()}
        source = beside.get(str(there), ROOT / "docs" / there)
        page.write_text(relinked(page.read_text(), source, folder, page))


def navigation(folder: Path) -> str:
    """Write the navigation as the page of links has it: its sections, and in each its links."""
    sections: dict[str, list[tuple[str, str]]] = {"Tradebook": [("Overview", "index.md")]}
    for line in (folder / "docs" / "index.md").read_text().splitlines():
        if section := re.match(r"\*\*(.+?)\*\*", line):
            name = section[1]
            sections[name] = []
        elif link := re.match(r" *- \[(.+?)\]\(([^)#]+\.md)\)", line):
            sections[name].append((link[1], link[2]))
    listed = {target for links in sections.values() for _, target in links}
    pages = {str(page.relative_to(folder / "docs")) for page in (folder / "docs").rglob("*.md")}
    if pages != listed:
        sys.exit(f"docs/index.md does not name {', '.join(sorted(pages - listed))}")
    entries = [
        f"{{ {json.dumps(name)} = [{', '.join(_entry(title, path) for title, path in links)}] }}"
        for name, links in sections.items()
    ]
    return f"[project]\nnav = [{', '.join(entries)}]\n"


def _entry(title: str, path: str) -> str:
    return f"{{ {json.dumps(title)} = {json.dumps(path)} }}"


def relinked(text: str, source: Path, folder: Path, page: Path) -> str:
    """Turn the links of a page into those of its copy; blocks of code stay as they are."""

    def link(found: re.Match[str]) -> str:
        label, target = found.groups()
        path, mark, anchor = target.partition("#")
        if not path or ":" in path:
            return found[0]
        leads_to = (source.parent / path).resolve()
        if leads_to.is_relative_to(ROOT / "docs") and leads_to.is_file():
            own = folder / leads_to.relative_to(ROOT / "docs")
        elif leads_to.parent == ROOT and leads_to.name in BESIDE:
            own = folder / BESIDE[leads_to.name]
        else:
            # Code, and folders: a file that is not there either is for the checker to say.
            return label if leads_to.exists() else found[0]
        return f"[{label}]({Path(os.path.relpath(own, page.parent))}{mark}{anchor})"

    # A diagram would be drawn by a script from elsewhere: its text is shown.
    parts = _FENCE.split(text.replace("```mermaid\n", "```text\n"))
    return "".join(part if part.lstrip().startswith("```") else _LINK.sub(link, part) for part in parts)


class Reader(HTMLParser):
    """What a page has: the places in it, where it leads, and what it makes a browser load."""

    def __init__(self, page: Path) -> None:
        super().__init__()
        self.ids: set[str] = set()
        self.links: list[str] = []
        self.loads: list[str] = []
        self.feed(page.read_text())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note them; a canonical link is neither."""
        named = {name: value for name, value in attrs if value}
        if "id" in named:
            self.ids.add(named["id"])
        if tag == "a":
            self.links += [named[name] for name in ("href",) if name in named]
        elif tag != "link" or named.get("rel") != "canonical":
            self.loads += [named[name] for name in ("src", "srcset", "href") if name in named]


@cache
def read(page: Path) -> Reader:
    """Read a page."""
    return Reader(page)


def faults_of(page: Path, site: Path) -> Iterator[str]:
    """Tell what a page loads from elsewhere, and which of its links lead to nothing."""
    for each in read(page).loads:
        if re.match(r"(?:[a-z]+:)?//", each):
            yield f"{page.parent.name} loads {each}"
    for link in read(page).links:
        path, _, anchor = link.partition("#")
        if re.match(r"[a-z]+:|//", link) or link in {"", ".", "#"}:
            continue
        below = site if path.startswith("/") else page.parent
        leads_to = (below / path.lstrip("/")).resolve() if path else page
        leads_to = leads_to / "index.html" if leads_to.is_dir() else leads_to
        if not leads_to.is_file():
            yield f"{page.parent.name} leads to {link}"
        elif anchor and leads_to.suffix == ".html" and anchor not in read(leads_to).ids:
            yield f"{page.parent.name} leads to {link}, which has no such place"


if __name__ == "__main__":
    main()
