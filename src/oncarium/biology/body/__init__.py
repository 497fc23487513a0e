"""The body around the tissue: its compartments, and the doors by which cells enter and leave."""
