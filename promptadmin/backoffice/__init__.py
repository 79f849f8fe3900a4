"""What all pages of the back-office have, whichever plugin they belong to."""
