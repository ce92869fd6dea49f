"""Functions that run on this machine, in the real Lambda runtime clients, each in a sandbox of its own."""
