"""Typed values that one part of a request leaves for a later part: Starlette's `request.state` has no types."""

from dataclasses import dataclass

from starlette.requests import HTTPConnection


@dataclass(frozen=True)
class RequestValue[Value]:
    """A value of one request, under a name of its own."""

    name: str

    def leave(self, connection: HTTPConnection, value: Value) -> None:
        """Set the value for the rest of the request."""
        setattr(connection.state, self.name, value)

    def find(self, connection: HTTPConnection) -> Value | None:
        """The value, or None if nothing has set it."""
        found: Value | None = getattr(connection.state, self.name, None)
        return found

    def of(self, connection: HTTPConnection) -> Value:
        """The value. Raises LookupError if nothing has set it."""
        found = self.find(connection)
        if found is None:
            raise LookupError(f"this request has no {self.name}")
        return found
