"""Whether systems answer the same customers in the same order: else their figures compare nothing."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

Shown = Sequence[Any]
"""What an answer says of each customer, in its order, in the words that all systems share."""

Question = TypeVar("Question")


def require_agreement(
    questions: Iterable[tuple[str, Question]],
    own: Callable[[Question], Shown],
    peers: Mapping[str, Callable[[Question], Shown | None]],
) -> int:
    """Ask all; end the run if one answers otherwise. Tell how many answers were compared."""
    wrong: list[str] = []
    compared = 0
    for name, question in questions:
        answers = {peer: answer for peer, ask in peers.items() if (answer := ask(question)) is not None}
        wrong += disagreements(name, own(question), answers)
        compared += len(answers)
    if wrong:
        raise SystemExit("\n".join(["Figures would compare nothing, as the answers differ:", *wrong]))
    return compared


def disagreements(question: str, expected: Shown, answers: Mapping[str, Shown]) -> list[str]:
    """Say which systems answer a question otherwise than expected, and where they begin to."""
    return [
        f"{name}, {question}: {_first(expected, answer)}"
        for name, answer in answers.items()
        if list(answer) != list(expected)
    ]


def _first(expected: Shown, answer: Shown) -> str:
    for place, (wanted, got) in enumerate(zip(expected, answer, strict=False)):
        if wanted != got:
            return f"customer {place + 1} is {got!r}, not {wanted!r}"
    return f"{len(answer)} customers, not {len(expected)}"


def own_shown(page: Mapping[str, Any], *, is_whole: bool) -> list[Any]:
    """Read a page of Tradebook's."""
    return [_own(customer, is_whole=is_whole) for customer in page["data"]]


def _own(customer: Mapping[str, Any], *, is_whole: bool) -> tuple[Any, ...]:
    plain = (customer["number"], customer["name"], customer["status"])
    if not is_whole:
        return plain
    children = customer["child_accounts"]["data"] if customer["child_accounts"] else []
    return (
        *plain,
        *_related(customer, [group["name"] for group in customer["price_groups"]["data"]]),
        (customer["parent_account"] or {}).get("number"),
        len(children),
    )


def peer_shown(page: Mapping[str, Any], *, is_whole: bool) -> list[Any]:
    """Read a page of a peer's: each framework has its own name for the list."""
    listed = next(page[name] for name in ("data", "results", "rows") if name in page)
    return [_of_peer(customer, is_whole=is_whole) for customer in listed[:100]]


def _of_peer(customer: Mapping[str, Any], *, is_whole: bool) -> tuple[Any, ...]:
    plain = (customer["number"], customer["name"], customer["status"])
    if not is_whole:
        return plain
    return (
        *plain,
        *_related(customer, [group["name"] for group in customer["price_groups"]]),
        (customer["parent"] or {}).get("number"),
        # Tradebook shows 100 of them at most.
        min(len(customer["children"]), 100),
    )


def _related(customer: Mapping[str, Any], price_groups: list[str]) -> tuple[Any, ...]:
    addresses = [customer[which] or {} for which in ("bill_to_address", "ship_to_address")]
    # Tradebook keeps the place of an address in an object of its own.
    places = [(address.get("geolocation") or address).get("locality") for address in addresses]
    return (customer["type"]["name"], *places, tuple(sorted(price_groups)))
