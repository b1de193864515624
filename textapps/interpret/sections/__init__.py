"""Sections of the report of `inspect`: results as pictures, tables and numbers."""
