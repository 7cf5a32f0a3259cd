"""A tuned policy: what was asked, what was tried, what was chosen and what it is worth on releases that nobody chose by."""
