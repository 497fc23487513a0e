"""The extracellular matrix: what it is, what cells do to it
and it to them, proteases, stores and the basement membrane."""
