"""E-mail alerts: digests of pages, and the pages on which people manage subscriptions."""
