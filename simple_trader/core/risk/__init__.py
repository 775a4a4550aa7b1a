"""Who may trade, and how much: sizing, checks, exposure, breaker, the one gate."""
