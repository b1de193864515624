"""File formats: one reader for each, and the table that finds it by the file extension."""
