"""Where the trail is kept; each is switched on by one visible line."""
