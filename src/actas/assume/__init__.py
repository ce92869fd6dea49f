"""A grant in, short-lived sessions for its role out."""
