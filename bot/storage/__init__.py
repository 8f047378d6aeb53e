"""The memory: tables, queries and one database façade; the only room that knows SQL."""
