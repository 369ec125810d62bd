"""The handler, called as Lambda calls it, against moto."""
