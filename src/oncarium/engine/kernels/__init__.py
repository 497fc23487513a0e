"""Compiled loops over cells and voxels."""
