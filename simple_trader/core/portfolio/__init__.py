"""What we own and what is in flight: orders, lots, balances, equity."""
