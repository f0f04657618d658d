"""The routes of service levels. They stand inside a carrier's, so they stand above carriers."""

from tradebook.crud.five_routes import FiveRoutes
from tradebook.crud.resource import PathObject, Resource
from tradebook.crud.walks import walk_of_owned
from tradebook.crud.words import texts_of_table
from tradebook.errors import ResourceGone
from tradebook.resources import carriers, service_levels
from tradebook.resources.service_levels import CREATE, ID_PREFIX, UPDATE, ServiceLevel

_l = service_levels.service_levels.c
PATH = f"{carriers.PATH}/{{carrier_id}}/service-levels"

resource = Resource(
    name="service_level",
    id_prefix=ID_PREFIX,
    shape=ServiceLevel,
    routes=FiveRoutes(
        path=PATH,
        noun="service level of a carrier",
        nouns="a carrier's service levels",
        permissions_of="carriers",
        item=ServiceLevel,
        load=service_levels.fragments.load_found,
        walk=walk_of_owned(_l.carrier_id, _l.id),
        texts=texts_of_table(_l.name, _l.service_level_token),
        path_object=PathObject("id", ID_PREFIX, service_levels.records, inside="carrier_id"),
        path_objects=(PathObject("carrier_id", carriers.ID_PREFIX, carriers.records),),
        bodies=(CREATE, UPDATE),
        create=service_levels.create,
        update=service_levels.update,
        delete=service_levels.delete,
        errors=dict.fromkeys(("POST", "PATCH", "DELETE"), (ResourceGone,)),
    ).routes(),
)
