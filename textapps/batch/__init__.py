"""Answers whole files with an exported model: in this process, or with Apache Beam or Spark."""
