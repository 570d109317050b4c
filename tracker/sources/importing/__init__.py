"""An import: rows become facts, are compared with what is known, and leave a receipt."""
