"""How it is served: routes, authentication, envelope, OpenAPI; the only room with falcon."""
