"""What flows and presses between the cells: interstitial fluid, lymph, solid stress."""
