"""One search over runs, data sets, studies and workers."""
