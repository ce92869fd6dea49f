"""What each provider's payloads say: from bytes to `Told`, by pure functions that open nothing."""
