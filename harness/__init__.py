"""The same scenario on a real cluster, under Locust load, written down in the same rows as the twin's.

Nothing here simulates. ``backend`` runs one scenario from an empty namespace to its verdict; ``makers`` decide (the real
Argo Rollouts controller, ``sim.decide``, the Deployment controller, the playbook's script); ``deploy`` turns manifests
into what this cluster can run; ``gateway`` is the weighted proxy; ``load``, ``monitoring``, ``faults`` and ``cluster`` do
what their names say. Every module imports without Docker, kind or any of the optional packages: what is missing is said
when it is needed. Locust is imported in a subprocess only, because importing it patches the interpreter.
"""
