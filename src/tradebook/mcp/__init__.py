"""Agents: tools over the same declarations. The only room that imports the package `mcp`."""
