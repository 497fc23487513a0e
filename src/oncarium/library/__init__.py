"""The library: factors, cell types and scenarios as data, each number with its unit and source.

A model takes them up by name (`library: oxygen`); `oncarium list` shows what there is.
"""
