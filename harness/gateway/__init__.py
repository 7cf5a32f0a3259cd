"""The weighted proxy in front of the pods: one HAProxy in each namespace, kept in step with what manifests and pods say.

``picture`` reads objects, ``entry`` says whom clients call, ``routes`` makes a table of both, ``shares`` says who gets how
much by it, ``haproxy`` writes it down for HAProxy: all of them pure. ``proxy`` makes a running HAProxy act on a table, and
``gateway`` does so whenever the cluster changes. Controllers only ever write Kubernetes objects.
"""
