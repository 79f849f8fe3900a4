"""The steps of the table."""
