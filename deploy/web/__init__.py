"""The web server: uvicorn with limits of connections, heads, bodies and descriptors."""
