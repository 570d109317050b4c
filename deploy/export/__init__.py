"""Files that commands write: Parquet tables, state snapshots, the documents of a bundle."""
