"""The same scenario on a real cluster. Nothing lives here yet: the harness is a later piece of work."""
