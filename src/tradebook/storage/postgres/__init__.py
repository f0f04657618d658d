"""The server engine: PostgreSQL through psycopg."""
