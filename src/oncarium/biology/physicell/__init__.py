"""PhysiCell's way of doing things: the same mechanisms with its solvers, time steps and order of operations."""
