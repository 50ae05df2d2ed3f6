"""Named starting points of a configuration."""
