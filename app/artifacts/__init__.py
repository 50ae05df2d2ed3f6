"""The files of runs and exports: lists, sizes and downloads."""
