"""Cells of a slide: tables of any program, AnnData, SpatialData and images of labels become cells of a model.

words.py is what a model says of a slide, columns.py what the columns of a file mean, files.py opens the file by what
it is (delimited.py, images.py, scverse.py, and own.py for what Oncarium exported), cells.py makes cells of a model of
it, and plausible.py says whether they can be cells at all.
"""
