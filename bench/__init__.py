import promptadmin  # noqa: F401  # chooses the SQLite that this process measures
