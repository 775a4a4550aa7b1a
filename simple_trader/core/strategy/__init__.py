"""Who wants to trade, and why: features, advice, gates, exits and prices."""
