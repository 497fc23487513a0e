"""What can be read from a result? Tables, fields, measures, AnnData."""

import tempfile

import oncarium as oc

model = oc.load("hypoxic_tumor").with_({"initial.0.disc.radius": "150 um"})
result = oc.run(model, "3 h", seed=1, out=tempfile.mkdtemp())
print(result.cells("3 h").groupby("type", observed=True)["sense.pressure"].mean())
print(result.summary[["live.tumor", "mean.oxygen"]].tail(2))
print(result.events["kind"].value_counts().head(3))
print(
    "oxygen in the middle:",
    float(result.fields["oxygen"].isel(time=-1).sel(x=0, y=0, method="nearest").squeeze()),
    "mmHg",
)
print("radius of gyration:", oc.measure.radius_of_gyration(result, "3 h", "tumor"), "um")
print(result.to_anndata("3 h"))
