"""What can be known about a configuration before anything is started."""
