"""Who may talk to the API."""
