"""Controllers that decide on the cluster and are not rolltwin's own: found there, or installed for the run."""
