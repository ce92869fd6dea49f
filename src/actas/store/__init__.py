"""State that outlives the process: SQLite on one machine, PostgreSQL beyond it."""
