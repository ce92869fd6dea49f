"""Identity events in, functions run and access ended: once heard, never lost, each effect with one key."""
