"""Training: reads dataset packages, trains and evaluates policies, writes artifacts. The service never imports it."""
