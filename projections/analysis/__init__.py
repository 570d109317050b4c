"""Pure answers from states: claims side by side, shares, exposure to controls."""
