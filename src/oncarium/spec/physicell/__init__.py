"""PhysiCell models: settings XML, rules CSV, cells CSV and initial concentrations become the same tree that a model file gives."""

from .settings import is_settings, read_settings

__all__ = ["is_settings", "read_settings"]
