"""The data plane in aggregate, held against the exact one."""
