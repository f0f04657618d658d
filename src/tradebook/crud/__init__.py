"""What all resources share: the declaration, lists, cursors, bodies and changes."""
