"""Where it lies: database pool, migrations, named SQL, offset fencing, partitioner."""
