"""The search index: documents of states, words of events, and the words that corrections use."""
