"""Files that went wrong on their way: mutated models, settings, tables, networks and claims. Whatever they are, they
are told in words."""
