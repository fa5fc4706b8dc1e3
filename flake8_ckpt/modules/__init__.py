"""What the objects of one module class hold, and how each attribute lives."""
