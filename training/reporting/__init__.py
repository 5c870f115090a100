"""Pages and plots for those who decide."""
