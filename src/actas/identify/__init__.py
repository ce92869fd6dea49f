"""Evidence in, a believed identity out."""
