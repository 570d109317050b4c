"""A static site: the pages, files and log of a moment, for any web server."""
