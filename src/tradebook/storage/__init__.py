"""Where it is kept: schema, database handles and the engines."""
