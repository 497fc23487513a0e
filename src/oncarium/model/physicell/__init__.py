"""PhysiCell models: settings XML, rules CSV, cells CSV and initial concentrations become the same tree that a model
file gives."""

from .settings import is_project, is_settings, read_settings, settings_in

__all__ = ["is_project", "is_settings", "read_settings", "settings_in"]
