"""The demo's customers: made up, the same on every machine."""
