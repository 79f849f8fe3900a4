"""Search of texts: by words, ranked, and by parts of texts, through an index that is kept beside the database.

- `words`: what a word is, what a query asks for, how well a text answers it; `snippets`: what is shown of it.
- `tables`: which tables are searched; a plugin declares its own.
- `index_file`: the index, a SQLite file beside the database, and the log of changes that the database keeps for it;
  `building` fills the index from the log.
- `candidate_filter`, `ranking`: the two searches, by parts of texts and by words.
- `postgresql`: the same on PostgreSQL, whose own indexes need no keeping.
"""
