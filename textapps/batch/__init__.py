"""Answers whole files by an exported model: in this process, or by Apache Beam."""
