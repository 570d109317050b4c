"""One module a publication or file format."""
