"""How good the decisions were: outcomes of predictions."""
