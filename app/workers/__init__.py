"""Workers and what they report of themselves."""
