"""The published contract, through HTTP; one file per section."""
