"""GraphQL over HTTP, WebSockets and streams, with the checks of every request."""
