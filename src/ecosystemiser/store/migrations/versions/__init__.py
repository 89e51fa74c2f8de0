"""One file a change of the schema, frozen once released: it never imports `schema.py`, which moves on."""
