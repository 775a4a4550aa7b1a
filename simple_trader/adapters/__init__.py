"""The rooms that speak to the world outside; none knows another."""
