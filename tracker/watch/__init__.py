"""Watching: fetches the publications of sources, stores them unchanged and proposes facts."""
