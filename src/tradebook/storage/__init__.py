"""Where the book is kept: schema, database handles and the engines."""
