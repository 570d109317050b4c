"""E-mail alerts: subscriptions to pages, digests of their changes, and a mailer. No address is in the log."""
