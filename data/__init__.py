"""What is known: the research dataset, the reward, the synthetic study. No HTTP, no SQL."""
