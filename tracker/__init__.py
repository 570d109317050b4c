"""The facts about critical minerals, their rules, and their log."""
