"""Settings side by side on the same random numbers: what each does to every indicator, and how well that is known."""
