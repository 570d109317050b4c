"""PostgreSQL: connections, migrations, background work, batches of waiting calls."""
