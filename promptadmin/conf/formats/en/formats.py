"""Dates and times as in tables of the back-office: sorted by reading, and always with the time zone."""

DATE_FORMAT = "Y-m-d"
DATETIME_FORMAT = r"Y-m-d H:i:s \U\T\C"
