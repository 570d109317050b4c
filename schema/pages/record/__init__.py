"""Forms that record: made from the inputs of the API, with a preview before anything is recorded."""
