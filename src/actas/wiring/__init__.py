"""Put the rooms together as the settings say; the one place that knows every plug-in."""
