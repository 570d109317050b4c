"""From a document to an answer: limits, cost, plans, caches."""
