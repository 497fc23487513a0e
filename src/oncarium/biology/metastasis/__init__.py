"""Metastasis: cells that leave through vessels, circulate, arrest at distant sites and grow there."""
