"""What tests need and users may use for theirs: a small real identity provider, and the contracts of plug-ins."""
