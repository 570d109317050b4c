"""The log as a transparency log: what proves that nothing was altered, dropped or inserted."""
