"""From the rows of a file to the book."""
