"""From plain text to HTML: the little that descriptions use of Markdown, and colours for examples."""

import re
from collections.abc import Iterator

from markupsafe import Markup, escape

_CODE = re.compile(r"`([^`\n]+)`|\[([^\]\n]+)\]\((/[^)\s]*|https?://[^)\s]+)\)")
_KEYWORDS = {
    "curl": r"\bcurl\b|(?<=\s)--?[A-Za-z][A-Za-z-]*",
    "python": r"\b(?:from|import|with|as|for|in|if|print|None|True|False)\b",
    "typescript": r"\b(?:const|await|for|of|if|new|throw|null|true|false)\b",
    "json": r'"(?:[^"\\]|\\.)*"(?=\s*:)',
}
_TEXTS = r'"(?:[^"\\\n]|\\.)*"|' + r"'[^']*'|`[^`]*`"
_TOKENS = {
    language: re.compile(f"(?P<w>{words})|(?P<s>{_TEXTS})|(?P<n>\\b(?:null|true|false|\\d[\\d.]*)\\b)")
    for language, words in _KEYWORDS.items()
}


def inline(text: str) -> Markup:
    """Write one run of text: code between backticks, and links."""
    return Markup("").join(_pieces(text))


def _pieces(text: str) -> Iterator[Markup]:
    end = 0
    for found in _CODE.finditer(text):
        yield escape(text[end : found.start()])
        code, label, target = found.groups()
        if code is not None:
            yield Markup("<code>{}</code>").format(code)
        else:
            yield Markup('<a href="{}">{}</a>').format(target, label)
        end = found.end()
    yield escape(text[end:])


def prose(text: str) -> Markup:
    """Write text in paragraphs, lists and blocks of code."""
    return Markup("\n").join(_block(block) for block in re.split(r"\n\s*\n", text.strip()) if block)


def _block(block: str) -> Markup:
    lines = block.splitlines()
    if lines[0].startswith("```"):
        return Markup("<pre><code>{}</code></pre>").format("\n".join(lines[1:-1]))
    if all(line.startswith(("- ", "  ")) for line in lines):
        items = re.split(r"^- ", block, flags=re.MULTILINE)[1:]
        return Markup("<ul>{}</ul>").format(
            Markup("").join(Markup("<li>{}</li>").format(inline(i)) for i in items)
        )
    return Markup("<p>{}</p>").format(inline(block))


def coloured(code: str, language: str) -> Markup:
    """Mark the words, texts and constants of an example."""
    marked, end = Markup(""), 0
    for found in _TOKENS[language].finditer(code):
        marked += escape(code[end : found.start()])
        marked += Markup('<span class="{}">{}</span>').format(found.lastgroup, found[0])
        end = found.end()
    return marked + escape(code[end:])


def breakable(path: str) -> Markup:
    """Let a path break before its slashes."""
    return Markup("<wbr>/").join(path.split("/"))
