"""Lets `python -m tradebook` do what `tradebook` does."""

from tradebook.cli.main import main

if __name__ == "__main__":
    main()
