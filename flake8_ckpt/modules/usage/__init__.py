"""How the project around a module class uses its objects."""
