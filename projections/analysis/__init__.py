"""Pure analysis of states: compared claims, shares, exposure to controls."""
