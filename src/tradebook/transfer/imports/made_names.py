"""The names that an import makes: with the line that first needs each, and the nearest that there is."""

from collections.abc import Iterable, Mapping

from tradebook.transfer.imports import making
from tradebook.transfer.imports.making import Foreseen, MadeKind
from tradebook.transfer.imports.names import PRICING_GROUP, TYPE_GROUP
from tradebook.transfer.imports.nearest import Nearest
from tradebook.transfer.imports.references import References
from tradebook.transfer.imports.summary import Made


class MadeNames:
    """Looks for the nearest name among those of the book, and of the file before."""

    def __init__(self, references: References) -> None:
        self._references = references
        self._near: dict[tuple[MadeKind, int], Nearest] = {}

    def of(self, foreseen: Foreseen, needed: Mapping[int, int]) -> dict[str, list[Made]]:
        """List the names that are needed, by kind, in the order of the lines that first need them."""
        made: dict[str, list[Made]] = {}
        for key, line in sorted(needed.items(), key=lambda item: (item[1], -item[0])):
            name = foreseen.of(key)
            made.setdefault(name.kind, []).append(Made(name.name, line, self._nearest(name)))
        return made

    def _nearest(self, name: making.Made) -> str | None:
        if name.kind == "sales_reps_renamed":
            return None
        near = self._near.get((name.kind, name.among))
        if near is None:
            near = self._near[name.kind, name.among] = Nearest()
            for known in self._known(name.kind, name.among):
                near.add(known)
        found = near.find(name.name)
        near.add(name.name)
        return found

    def _known(self, kind: MadeKind, among: int) -> Iterable[str]:
        """List the names that the book has of a kind."""
        references = self._references
        match kind:
            case "sales_reps":
                return references.reps.names()
            case "service_levels":
                return references.carriers.level_names(among)
            case "carriers":
                return references.carriers.names()
            case "payment_terms":
                return references.payment_terms.names()
            case "shipping_terms":
                return references.shipping_terms.names()
            case _:
                return references.groups.names(TYPE_GROUP if kind == "type_groups" else PRICING_GROUP)
