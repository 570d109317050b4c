"""All that the tracker pushes as AsyncAPI 3.0, made of the schemas that there are. Pure."""
