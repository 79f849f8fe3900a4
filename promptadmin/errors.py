"""What a repository raises when it refuses; each door turns it into its own kind of answer."""


class DomainError(Exception):
    """The base: the text says what is wrong, in words for the user. `status` is the HTTP status that says it best."""

    status = 400


class Invalid(DomainError):
    """The request contradicts itself or the data."""


class Forbidden(DomainError):
    """The state of the data, or the caller's scope, doesn't allow it."""

    status = 403


class NotFound(DomainError):
    """There is no such row."""

    status = 404


class Conflict(DomainError):
    """Another row, or another state, stands in the way."""

    status = 409


class PreconditionFailed(DomainError):
    """The row has changed since the caller read it."""

    status = 412


class TooMany(DomainError):
    """There is no room for one more, for so many seconds as `retry_after` guesses."""

    status = 429
    retry_after = 3600


class Busy(DomainError):
    """Something that will be over in so many seconds as `retry_after` says stands in the way."""

    status = 503
    retry_after = 5


class Unavailable(DomainError):
    """No enabled plugin can do this."""

    status = 501
