"""The fault script: which fault is due, and what it does to what passes."""
