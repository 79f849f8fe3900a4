"""What an installation is configured with, and the limits that hold at every door."""
