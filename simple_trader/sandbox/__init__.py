"""Our own Kraken on loopback: REST and WS v2 over the pure exchange of `simulator`."""
