"""The database: pool, migrations, named SQL, offset fencing; and the tasks of services."""
