"""PostgreSQL: the embedded server, the schema, the writing lanes, recovery and reports."""
