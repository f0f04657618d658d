"""Maps: what the columns of another system become here."""
