"""Web: the loopback health endpoint."""
