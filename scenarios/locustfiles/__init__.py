"""A Locust file as the twin's traffic: what its users ask for, how often, and how many of them there are when.

``survey`` and ``stubs`` run in a process of their own, because importing Locust patches the interpreter; ``asking`` starts
it and ``offered`` makes stages and classes of requests of what it found.
"""
