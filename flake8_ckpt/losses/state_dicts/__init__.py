"""What a `state_dict` of a class's own leaves out."""
