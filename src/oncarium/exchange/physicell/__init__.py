"""PhysiCell's formats: tables of cells and fields, snapshots (MultiCellDS), their output folders, their settings."""
