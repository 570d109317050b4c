"""The data set that ships: facts and figures in our own format and words, with their sources."""
