"""Front doors over HTTP: function calls and routes on one origin, sign-in, admin and metrics on another."""
