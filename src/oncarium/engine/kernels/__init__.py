"""Compiled loops over cells and voxels."""

import numba

# A cached function that only calls threaded ones does not start the threads when it is loaded from disk, and crashes on its
# first call (numba issue 8578); starting them here costs a millisecond.
numba.get_num_threads()
