"""Settings for a server in which everything that is meant for many rows begins at a handful of them."""
