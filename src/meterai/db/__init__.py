"""PostgreSQL, the one dialect: the embedded server, connections, migrations, outbox and batcher."""
