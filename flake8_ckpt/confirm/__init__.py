"""The second reader: libcst finds the node of each candidate in an extract of its file."""
