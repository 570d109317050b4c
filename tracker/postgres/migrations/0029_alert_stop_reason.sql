-- A subscription also stops when its page is invalid for good; its owner sees the reason.
ALTER TABLE alerts.subscriptions
    ADD COLUMN stop_reason text CHECK (stop_reason IN ('address', 'page'));  -- null while it is active
UPDATE alerts.subscriptions SET stop_reason = 'address' WHERE stopped_at IS NOT NULL;

GRANT SELECT (stop_reason) ON alerts.subscriptions TO tracker_api;
GRANT UPDATE (stop_reason) ON alerts.subscriptions TO tracker_mailer;
