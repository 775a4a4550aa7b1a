"""When the brain wants to be woken."""
