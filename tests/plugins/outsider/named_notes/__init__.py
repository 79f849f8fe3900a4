"""Named notes on prompts; a note marked "keep" keeps its prompt from being deleted."""
