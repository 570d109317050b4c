"""Files written by commands: Parquet tables, state snapshots, the documents of a bundle."""
