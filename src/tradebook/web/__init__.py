"""HTTP: routes, authentication, error envelope, OpenAPI. The only room that imports Falcon."""
