"""The log as a transparency log: proofs that no event was altered, removed or inserted."""
