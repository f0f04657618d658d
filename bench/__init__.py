"""Measures what design and docs promise about speed, each figure beside its floor in the same run."""
