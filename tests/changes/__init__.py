"""What was changed between two versions of a policy."""
