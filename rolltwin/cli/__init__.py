"""One module per command; ``main`` is their table of contents."""
