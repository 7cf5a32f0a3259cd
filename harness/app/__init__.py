"""The application under test: one small HTTP service that behaves as its environment says.

These modules are copied into the image and run there by a plain Python 3.11, so they import the standard library and
each other only. ``environment`` is the exception: it is the harness' side of the agreement and is not imported in the image.
"""
