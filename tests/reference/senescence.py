"""One cell's senescence, slowly."""


def arrest_one(vital, divisions, limit, level, exit_rates):
    """(level, exit rates) of one cell after a decision."""
    senescent = level == 1.0 or divisions >= limit
    if vital != 0:
        return float(level), list(exit_rates)
    return float(senescent), [0.0 if senescent else float(rate) for rate in exit_rates]
