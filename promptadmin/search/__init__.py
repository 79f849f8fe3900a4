"""Search of texts: by words, ranked, and by parts of texts, through an index that is kept beside the database.

- `words`: what a word is, what a query asks for, how well a text answers it; `snippets`: what is shown of it.
- `tables`: which tables are searched; a plugin declares its own.
- `tracking`: what the database itself knows: how far its rows are indexed, and which of them changed since.
- `index_file`: the index, a SQLite file beside the database; `building` fills it, `finding` asks it.
- `postgresql`: the same on PostgreSQL, whose own indexes need no keeping.
"""
