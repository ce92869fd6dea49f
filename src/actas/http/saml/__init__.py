"""SAML at the control origin: signing in and out by browser, our metadata, and tokens for assertions."""
