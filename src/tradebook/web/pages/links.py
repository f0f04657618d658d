"""Where to go from the root of the server: for people on its page, for programs as JSON."""

from typing import NamedTuple

from tradebook.web.agents import AGENTS_PATH


class Link(NamedTuple):
    """A place on this server."""

    name: str
    """Its key in the JSON."""
    path: str
    title: str
    text: str
    is_page: bool = True
    """Whether a browser can open it."""


LINKS = (
    Link(
        "docs", "/docs", "Reference", "Every route with its parameters, bodies, answers, errors and examples."
    ),
    Link("errors", "/errors", "Errors", "What each error means, and what to do."),
    Link("openapi", "/openapi.json", "OpenAPI document", "The same for programs: for generators and tools."),
    Link("llms", "/llms.txt", "llms.txt", "The same in short, for language models."),
    Link(
        "mcp",
        AGENTS_PATH,
        "MCP",
        "Tools for agents, at `/mcp` of this server, with an API key as the bearer token.",
        is_page=False,
    ),
    Link("health", "/healthz", "Health", "Whether the process answers."),
    Link("readiness", "/readyz", "Readiness", "Whether the book can be read."),
)
