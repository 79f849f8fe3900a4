"""The one error that making and restoring backups raises."""


class BackupError(Exception):
    """A backup that can't be made, believed or restored; the message says why and what to do."""
