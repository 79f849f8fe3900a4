"""Moving everything from a SQLite file to an empty PostgreSQL database, once a team outgrows one machine.

`values` knows what each column of PostgreSQL can keep, `source` reads the file, `target` fills the database, and
`moving` brings them together: it copies in batches that a killed process can go on from, and then compares.
"""

from promptadmin.ops.postgresql_move.errors import MoveError
from promptadmin.ops.postgresql_move.moving import Moved, MovedTable, move

__all__ = ["MoveError", "Moved", "MovedTable", "move"]
