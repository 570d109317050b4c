-- The format of deliveries: the events themselves, or messages for incoming webhooks of a chat.
ALTER TABLE delivery.endpoints
    ADD COLUMN format text NOT NULL DEFAULT 'events' CHECK (format IN ('events', 'slack', 'teams'));
