"""PhysiCell models: settings XML, rules, cells and initial concentrations become the tree that a model file gives."""

from .settings import is_project, is_settings, read_settings, settings_in

__all__ = ["is_project", "is_settings", "read_settings", "settings_in"]
