"""Publications and files, read into facts: one room a publisher or format."""
