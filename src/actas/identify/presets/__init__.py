"""Identity providers' habits, as data; each is switched on by one visible line."""
