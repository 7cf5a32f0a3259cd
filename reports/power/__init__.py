"""The power of gates: the card (everything that is said), its readings of journals, words, text, Markdown and JSON."""
