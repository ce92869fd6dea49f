"""Ways to take a role; each is switched on by one visible line."""
