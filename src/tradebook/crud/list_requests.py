"""Turns the parameters of a list into a ListRequest, and refuses everything that can't be read."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from functools import lru_cache
from typing import Any, NoReturn

import msgspec

from tradebook.crud.cursor import Cursors, Position
from tradebook.crud.kinds import Unreadable, did_you_mean, refusal
from tradebook.crud.parameters import (
    CURSOR,
    END_DATE,
    INCLUDE,
    LIMIT,
    LIMIT_DEFAULT,
    START_DATE,
    Pairs,
    Parameter,
    Q,
    include_parameter,
)
from tradebook.crud.resource import Action, ListRoute, Route, path_of
from tradebook.errors import ParameterInvalid, ParameterUnknown
from tradebook.ids import KEY_MAX
from tradebook.storage.index import Condition, Facet, Query
from tradebook.text import shortened, words_of

EVERYTHING = Query()
_NARROWING_NOTHING = {CURSOR.name, LIMIT.name, INCLUDE}


class ListRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What a client asks of a list: which page, which filters, which includes."""

    path: str
    path_key: int | None
    """The key of the object that the path names last; None for a list of the account."""
    owner_key: int | None = None
    query: Query
    above: int
    below: int
    limit: int
    include: frozenset[str]
    position: Position | None
    scope: bytes
    """What the cursors of this list are bound to: account, path and filters."""
    repeated: Pairs
    """Everything but the cursor, for the URLs of the next and the previous page."""


class RequestParser:
    """Reads the parameters of one route."""

    def __init__(self, route: Route) -> None:
        self._route = route
        self._by_spelling: dict[str, Parameter] = {}
        self._filters = [each for each in parameters_of(route) if each.facet is not None]
        for parameter in parameters_of(route):
            self._by_spelling[parameter.name] = parameter
            if parameter.is_array:
                self._by_spelling[parameter.name.removesuffix(Parameter.MANY)] = parameter
            if parameter.alias is not None:
                self._by_spelling[parameter.alias] = parameter

    def list_request(
        self,
        pairs: Pairs,
        account_id: int,
        cursors: Cursors,
        path_keys: Sequence[int] = (),
        owner_key: int | None = None,
    ) -> ListRequest:
        """Read the parameters of a list; the error names the first that can't be read."""
        path = path_of(self._route, path_keys)
        found = _Found(self._by_spelling, pairs)
        query = found.query(self._filters)
        above, below = found.one(START_DATE, 0), found.one(END_DATE, KEY_MAX)
        scope = list_scope(account_id, path, query, above, below, owner_key)
        cursor = found.one(CURSOR, None)
        return ListRequest(
            path=path,
            path_key=path_keys[-1] if path_keys else None,
            owner_key=owner_key,
            query=query,
            above=above,
            below=below,
            limit=found.one(LIMIT, LIMIT_DEFAULT),
            include=found.include(),
            position=None if cursor is None else cursors.decode(cursor, scope, param=CURSOR.name),
            scope=scope,
            repeated=[pair for pair in pairs if pair[0] != CURSOR.name],
        )

    def require_absent(self, pairs: Pairs, names: Collection[str], reason: str) -> None:
        """Refuse parameters that mean nothing here; one that is empty counts as absent."""
        for spelling, text in pairs:
            parameter = self._by_spelling.get(spelling)
            if parameter is not None and parameter.name in names and text:
                raise ParameterInvalid(f"{spelling}: {reason}", param=spelling)

    def include(self, pairs: Pairs) -> frozenset[str]:
        """Read the parameters of a single object: its includes."""
        return _Found(self._by_spelling, pairs).include()

    def values(self, pairs: Pairs) -> dict[str, Any]:
        """Read the parameters of an action, includes apart, by their names."""
        found = _Found(self._by_spelling, pairs)
        declared = [each for each in parameters_of(self._route) if each.name != INCLUDE]
        return {each.name: found.one(each, None) for each in declared if found.has(each)}


def list_scope(
    account_id: int,
    path: str,
    query: Query = EVERYTHING,
    above: int = 0,
    below: int = KEY_MAX,
    owner_key: int | None = None,
) -> bytes:
    """Encode what the cursors of a list are bound to."""
    filters = [(c.facet.letter, c.values) for c in query.conditions]
    bound = (account_id, path, filters, sorted(query.words), above, below)
    return msgspec.json.encode(bound if owner_key is None else (*bound, owner_key))


def parameters_of(route: Route) -> tuple[Parameter, ...]:
    """List all parameters of a route, in the order of the documentation."""
    include = (include_parameter(route.includes),) if route.includes else ()
    if isinstance(route, Action):
        return (*route.parameters, *include)
    if not isinstance(route, ListRoute):
        return include
    return (CURSOR, LIMIT, *route.parameters, *include)


class _Found:
    """The values of each parameter, read, in the client's order."""

    def __init__(self, by_spelling: dict[str, Parameter], pairs: Pairs) -> None:
        self._by_spelling = by_spelling
        self._values: dict[str, list[Any]] = {}
        for spelling, text in pairs:
            self._take(spelling, text)

    def _take(self, spelling: str, text: str) -> None:
        parameter = self._by_spelling.get(spelling)
        if parameter is None:
            self._refuse_unknown(spelling)
        if parameter.may_be_empty and not text:
            return
        if not parameter.is_array and parameter.name in self._values:
            raise ParameterInvalid(f"{spelling} is given more than once; it takes one value.", param=spelling)
        values = self._values.setdefault(parameter.name, [])
        for part in text.split(",") if parameter.is_array else (text,):
            try:
                values.append(parameter.kind.read(part))
            except Unreadable as reason:
                raise refusal(ParameterInvalid, spelling, reason) from None

    def _refuse_unknown(self, spelling: str) -> NoReturn:
        shown = shortened(spelling)
        if not self._by_spelling:
            raise ParameterUnknown(f"There is no parameter {shown}: this route takes none.", param=spelling)
        published = [p.name for p in dict.fromkeys(self._by_spelling.values())]
        hint = did_you_mean(spelling, list(self._by_spelling))
        allowed = f"; this route takes {', '.join(published)}."
        raise ParameterUnknown(f"There is no parameter {shown}{hint or allowed}", param=spelling)

    def has(self, parameter: Parameter) -> bool:
        """Tell whether a parameter was given."""
        return parameter.name in self._values

    def one(self, parameter: Parameter, default: Any) -> Any:
        """Return the value of a scalar parameter."""
        return self._values[parameter.name][0] if parameter.name in self._values else default

    def include(self) -> frozenset[str]:
        """Return the include values with all their ancestors."""
        return _with_ancestors(frozenset(self._values.get(INCLUDE, ())))

    def query(self, filters: Iterable[Parameter]) -> Query:
        """Return what the filters ask for, facet by facet, in one canonical order, and the words."""
        if self._values.keys() <= _NARROWING_NOTHING:
            return EVERYTHING
        return Query(self._conditions(filters), tuple(words_of(self.one(Q, ""))))

    def _conditions(self, filters: Iterable[Parameter]) -> tuple[Condition, ...]:
        asked: dict[Facet, dict[int, list[Any]]] = defaultdict(dict)
        for parameter in filters:
            if parameter.facet is not None and parameter.name in self._values:
                asked[parameter.facet][parameter.place] = self._values[parameter.name]
        return tuple(Condition(facet, _values_of(facet, places)) for facet, places in asked.items())


# A client asks for the same on each page that it walks through.
@lru_cache(100)
def _with_ancestors(includes: frozenset[str]) -> frozenset[str]:
    return frozenset(
        ".".join(parts[:length])
        for parts in (value.split(".") for value in includes)
        for length in range(1, len(parts) + 1)
    )


def _values_of(facet: Facet, places: dict[int, list[Any]]) -> tuple[tuple[Any, ...], ...]:
    if len(facet.columns) == 1:
        return tuple((value,) for value in sorted(set(places[0])))
    # Scalars that one row must match together.
    return (tuple(places[n][0] if n in places else None for n in range(len(facet.columns))),)
