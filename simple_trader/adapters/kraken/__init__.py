"""The room that speaks Kraken's protocol, and nothing else, to the daemon: REST and WS v2."""
