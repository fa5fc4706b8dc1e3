"""What an expression of the standard library's tree may be, and what it does to `self` and to payloads."""
