"""Who may run which function, when, and as whom."""

__version__ = "0.1.0"
