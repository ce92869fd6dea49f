"""Where identity events come from: one file for each kind of provider."""
