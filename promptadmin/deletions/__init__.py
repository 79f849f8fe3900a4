"""What was deleted and can be restored: the rows as they were, the pieces in which many rows go, and when they expire.

`references` knows which other tables refer to ours; `promptadmin.db.kept_rows` takes rows out of a table and puts them
back, and `work` does either for a whole deletion. The applications that own the rows say which ones a deletion is of.
"""
