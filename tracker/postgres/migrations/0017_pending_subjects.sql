-- What waits, by commodity and by issuer: most of a page of the queue is its count. Without them the candidates
-- of a commodity that were decided on are read too, or all that wait are looked up in another index.
-- That the lists are not empty is said by those questions alone: the planner would have others, such as a
-- search for words, walk these indexes from end to end to find all that waits.
CREATE INDEX candidates_pending_commodities ON review.candidates USING gin (commodities)
    WITH (fastupdate = off) WHERE state = 'pending' AND cardinality(commodities) > 0;
CREATE INDEX candidates_pending_issuers ON review.candidates USING gin (issuers)
    WITH (fastupdate = off) WHERE state = 'pending' AND cardinality(issuers) > 0;
