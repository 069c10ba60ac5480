"""The web page over the releases. It reads Parquet with DuckDB, and nothing else; docs/explorer.md tells how."""
