"""The routes of customers that the tools ask, as they are declared."""

from tradebook.crud.parameters import Parameter
from tradebook.crud.resource import Action, ListRoute
from tradebook.resources.customers import PATH, resource

_ROUTES = {(getattr(route, "method", "GET"), route.path): route for route in resource.routes}


def _list(path: str) -> ListRoute:
    route = _ROUTES["GET", path]
    assert isinstance(route, ListRoute)
    return route


def _action(method: str, path: str) -> Action:
    route = _ROUTES[method, path]
    assert isinstance(route, Action)
    return route


LIST = _list(PATH)
CREATE = _action("POST", PATH)
UPDATE = _action("PATCH", f"{PATH}/{{id}}")
MERGE = _action("POST", f"{PATH}/{{id}}/actions/merge")
FILTERS: tuple[Parameter, ...] = LIST.parameters
