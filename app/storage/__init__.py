"""Where the files of runs and data sets are kept: one interface to a folder or an object store."""
