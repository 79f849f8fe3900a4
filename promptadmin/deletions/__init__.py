"""What was deleted and can be restored: the rows as they were, the pieces in which many rows go, and when they expire.

`references` knows which other tables refer to ours, `kept_rows` takes rows out of a table and puts them back, and
`work` does either for a whole deletion. Which rows a deletion is of is told by the applications that own them.
"""
