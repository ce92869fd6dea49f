"""An identity and a call in, Allow or Deny with reasons out. Pure: no socket, no clock, no await."""
