"""Whether the process lives and whether the installation can work."""
