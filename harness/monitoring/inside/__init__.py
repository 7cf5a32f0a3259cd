"""What runs beside Prometheus inside the cluster: standard library only, shipped as text, under the Python of the image."""
