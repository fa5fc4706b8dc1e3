"""The formats that findings are reported in, each read by what reads it in the field."""
