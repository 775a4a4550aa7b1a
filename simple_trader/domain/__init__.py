"""The words of the house: frozen types for money, moments, orders, events, actions and reasons."""
