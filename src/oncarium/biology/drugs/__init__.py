"""What therapy does: drugs in blood and tissue, on receptors and factors, radiation, and what is done on a day."""
