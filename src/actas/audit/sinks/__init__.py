"""Where the trail is kept, and where copies of it go.

`audit.trail` opens the one that keeps it; `wiring.followers` has a visible line for each kind of copy.
"""
