"""Lets `python -m tradebook` do what `tradebook` does."""

from tradebook.cli import main

if __name__ == "__main__":
    main()
