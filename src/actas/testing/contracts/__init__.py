"""Contracts of the sockets: classes of tests that every plug-in inherits and passes."""
