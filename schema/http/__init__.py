"""GraphQL over HTTP, WebSockets and streams, and what guards every request."""
