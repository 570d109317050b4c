-- The number that the sink of a relay gave to the last event that it acknowledged, such as the sequence
-- of a stream. A sink whose numbers end before it has lost events; one that has let its old ones go by
-- its own limits goes on counting.
ALTER TABLE delivery.relays ADD sequence bigint NOT NULL DEFAULT 0 CHECK (sequence >= 0);
