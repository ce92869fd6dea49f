"""STS at the control origin: what ``AWS_ENDPOINT_URL_STS`` makes AWS's clients speak (protocol query, 2011-06-15)."""
