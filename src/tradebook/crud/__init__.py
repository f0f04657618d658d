"""What all resources share: the declaration, listing, cursor, filters, includes and search."""
