"""From the book to the rows of a file."""
