"""What happened, written down so that it can be proved: one trail a call."""
