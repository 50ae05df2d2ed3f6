"""The web application: REST, Server-Sent Events and the built page."""
