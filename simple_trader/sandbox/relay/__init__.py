"""Kraken's live public feed, relayed byte for byte; own orders fill on a book laid over it."""
