"""Alembic's environment and the revisions of the schema; run by `warehouse.upgrade`, never by hand.

A new revision is a file `NNNN_what.py` in `versions/` whose number is `REVISION` of warehouse/creation.py. It is frozen
once released: it spells out the tables that it knew, and imports no table of warehouse/schema.py. On SQLite a table
that is altered by `op.batch_alter_table` is made anew: its CHECKs have to be created again in the same block. Reserved
members need a value in every new column. Views and comments are made anew after the last revision, so they need none.
Tests hold the outcome against a new database (tests/warehouse/test_migrations.py); keep a database of each release as a
fixture there.
"""
