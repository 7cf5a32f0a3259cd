"""Documents in: manifests and scenario files, read strictly and with the line of every finding."""
