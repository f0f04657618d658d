"""Import, export and the column map."""
