"""The commands: what an operator does with a book from a terminal. Each loads only what it needs."""
