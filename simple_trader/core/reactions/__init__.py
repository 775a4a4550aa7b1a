"""What an event does: one file for each kind of event, each a story of small functions."""
