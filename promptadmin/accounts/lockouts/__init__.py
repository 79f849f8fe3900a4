"""Who guesses passwords is locked out for a while: django-axes counts, this package has its tables and the answer."""
