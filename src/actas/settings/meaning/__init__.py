"""What the keys of a settings file mean together: one file of checks for each section.

A check takes a `View` and reports to it; it opens nothing, and knows of presets only what it is told.
"""
