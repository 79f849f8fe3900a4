"""What is refused because it is too long, too large, too many or too late: one limit for each thing, at every door.

docs/api.md and docs/importing.md name them. What an installation chooses itself stands in settings.py. How much of a
text a page shows, and how many rows a statement takes, is no refusal and stands beside the page or the statement.
"""

from __future__ import annotations

MEBIBYTE = 2**20

# ---------------------------------------------------------------- texts, in characters
#: A prompt's text, also as the text that a run began with.
PROMPT_LENGTH = 100_000
#: A project's name, also where a run names its project.
PROJECT_NAME_LENGTH = 200
DESCRIPTION_LENGTH = 2000
#: A run's title.
TITLE_LENGTH = 200
TAG_LENGTH = 50
#: A comment on a prompt.
COMMENT_LENGTH = 10_000
#: Why somebody changed a prompt, as the change log keeps it.
REASON_LENGTH = 500
#: Task types, strategies and other short texts of a run: PostgreSQL can't index a long one.
INDEXED_LENGTH = 200
#: A cell of an XLSX file that is written; Excel holds no longer text.
XLSX_CELL_LENGTH = 32_767
#: Any other text of a run, and a cell of an XLSX file that is read.
TEXT_LENGTH = 1_000_000
#: In an address, of which the server takes 64 KB; a character can need 12 bytes there.
ASKED_LENGTH = 1000
SEARCH_LENGTH = 500
#: An id that a client chooses.
KEY_LENGTH = 100
#: Levels of lists and objects in a JSON value.
JSON_DEPTH = 50

# ---------------------------------------------------------------- bodies and files, in bytes
#: A request's body, without the files in it.
BODY_BYTES = 2_621_440
#: An import, by the API or as a file.
IMPORT_BYTES = 64 * MEBIBYTE
#: What an XLSX file, which is compressed, may hold, as it says itself; zipfile unpacks no more than that.
UNPACKED_BYTES = 2 * IMPORT_BYTES
#: A cell of a CSV file.
CELL_BYTES = 8 * MEBIBYTE
#: An answer that is kept for an Idempotency-Key; of a larger one only the status is.
KEPT_ANSWER_BYTES = MEBIBYTE

# ---------------------------------------------------------------- rows and requests
#: The rows of one page of a list, and the ids that one request names.
PAGE_ROWS = 100
IMPORT_LINES = 10_000
#: The rows of a list that is sorted by a column without an index.
SORTED_ROWS = 50_000
#: The values in a file of JSON.
IMPORT_VALUES = 3_000_000
#: The elements of an XLSX file's XML.
XLSX_ELEMENTS = 4_000_000
#: What separates the columns, in one row of CSV, also within its texts.
ROW_SEPARATORS = 1_000_000
#: The errors of an import that its answer tells.
IMPORT_ERRORS = 100
#: An XLSX file is made as a whole before it is sent.
XLSX_ROWS = 100_000
#: Rows that an action of the back-office changes with one request; the next one goes on.
ACTION_ROWS = 10_000
#: Idempotency-Keys that are kept at one time.
KEPT_ANSWERS = 1_000_000
#: Requests a minute from one address without a valid token.
ANONYMOUS_RPM = 60

# ---------------------------------------------------------------- time
#: An action of the back-office begins no other transaction after so many seconds; the next request goes on.
ACTION_SECONDS = 20
#: An answer is kept so long for its Idempotency-Key.
KEPT_ANSWER_HOURS = 24
#: An uploaded file waits so long for somebody to confirm its import.
UPLOAD_HOURS = 24
