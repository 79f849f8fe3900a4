import promptadmin  # noqa: F401  # chooses the SQLite of this process
