"""What findings look like in each format: pure functions of a report, which is made of findings and their files."""
