"""What is observed of operations: lines, metrics, readiness."""
