"""Istio's routing as its proxies act on it, and the controller's writing into it: pure functions of the written objects."""
