"""The research dataset, the reward, the catalog and the synthetic study. No HTTP, no SQL."""
