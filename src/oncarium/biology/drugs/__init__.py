"""Drugs: what blood does with them, how they reach cells, what they bind to, and what they do."""
