"""Tables for spreadsheets and data tools: lists of the API as CSV, JSON, XLSX and Parquet."""
