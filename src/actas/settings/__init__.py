"""Read, check and watch ``actas.yaml``: bytes in, typed settings or every mistake out."""
