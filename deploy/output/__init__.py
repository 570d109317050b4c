"""The output of a process: terminal text, log lines and traces."""
