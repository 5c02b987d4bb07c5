"""PostgreSQL: driver, schema and the statements that it writes differently."""
