"""Values that every room shares; imports nothing of ours but the root of the errors."""
