"""The command line `unisd`."""
