"""Blood vessels: a graph whose segments carry blood, exchange with the tissue, sprout, mature and regress."""
