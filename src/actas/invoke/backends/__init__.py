"""Where functions run; each is switched on by one visible line."""
